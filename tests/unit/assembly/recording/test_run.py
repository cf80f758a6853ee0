"""What is logged to a run is in the project's store; how it ends is how its block ended."""

import json
import math
import multiprocessing
import os
import pickle
import random
import subprocess
import sys
import threading
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import trimtab
from trimtab.assembly.recording.process_tag import ended_ms, is_left
from trimtab.atoms.actor import Actor
from trimtab.atoms.error import Conflict, StoreError, UsageError
from trimtab.atoms.run import NAME_TAG, NOTE_TAG, PARENT_TAG, RunStatus


def test_everything_that_was_logged_is_there(book: Any, tmp_path: Path) -> None:
    (tmp_path / "plots" / "deep").mkdir(parents=True)
    (tmp_path / "plots" / "roc.svg").write_text("<svg/>")
    (tmp_path / "plots" / "deep" / "a.txt").write_text("a")
    frame = pl.DataFrame({"x": [1, 2], "y": ["a", "b"]})
    with trimtab.run("first", experiment="flights", tags={"team": "delays"}, note="why", seed=7) as run:
        run.parameters({"depth": 3}, rate=0.1)
        run.metric("loss", 0.5, 1)
        run.metrics({"loss": 0.25, "accuracy": 0.9}, 2)
        run.series("noise", range(3), np.array([1.0, 2.0, 3.0]))
        run.file(tmp_path / "plots")
        run.file(b"bytes", as_="notes/b.bin")
        run.dataset(frame, name="rows")
        run.tag("stage", "try")
    kept = book.run(run.id)
    assert kept.head.status is RunStatus.FINISHED
    assert kept.name == "first"
    assert kept.parameters == {"depth": "3", "rate": "0.1"}
    assert (
        kept.tags.items() >= {"team": "delays", "stage": "try", NOTE_TAG: "why", "trimtab.seed": "7"}.items()
    )
    assert book.points(run.id, "loss") == [(1, 0.5), (2, 0.25)]
    assert book.points(run.id, "noise") == [(0, 1.0), (1, 2.0), (2, 3.0)]
    (data,) = kept.datasets
    assert (data.name, json.loads(data.profile)) == ("rows", {"num_rows": 2, "num_elements": 4})
    files = book.files(run.id)
    assert (
        files.items()
        >= {"plots/roc.svg": b"<svg/>", "plots/deep/a.txt": b"a", "notes/b.bin": b"bytes"}.items()
    )
    told = json.loads(files["environment.json"])
    assert told["packages"]["msgspec"]
    assert told["seeds"]["seed"] == 7
    assert kept.metrics["system/system_memory_usage_megabytes"].value > 0
    with book.tracking() as tracking:
        assert tracking.experiments.find(kept.head.experiment).name == "flights"


def test_a_seed_is_set(quick: Any) -> None:
    drawn = []
    for _ in range(2):
        with quick(seed=2**40 + 1):
            drawn.append((random.random(), float(np.random.random())))
    assert drawn[0] == drawn[1]


def test_an_exception_ends_it_failed_and_is_its_note(quick: Any, book: Any) -> None:
    run = quick()
    run.metric("loss", 1.0)
    with pytest.raises(ZeroDivisionError), run:
        raise ZeroDivisionError("token=abc123 by zero")
    head = book.run(run.id).head
    assert (head.status, head.note) == (RunStatus.FAILED, "ZeroDivisionError: token=*** by zero")
    assert book.points(run.id, "loss") == [(0, 1.0)]


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (KeyboardInterrupt(), RunStatus.KILLED),
        (SystemExit(0), RunStatus.FINISHED),
        (SystemExit("no"), RunStatus.FAILED),
    ],
)
def test_how_a_process_is_left_is_how_the_run_ends(
    quick: Any, book: Any, raised: BaseException, status: RunStatus
) -> None:
    with pytest.raises(type(raised)), quick() as run:
        raise raised
    assert book.run(run.id).head.status is status


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("nothing to say")


@pytest.mark.parametrize(
    ("raised", "note"),
    [
        (ValueError("x" * 300_000), "ValueError: " + "x" * 1988),
        (ValueError("a\ud800b"), "ValueError: a\\ud800b"),
        (Mute(), "Mute"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
    ids=["long", "no UTF-8", "mute", "empty"],
)
def test_an_exception_is_told_whatever_it_says(
    quick: Any, book: Any, raised: BaseException, note: str
) -> None:
    with pytest.raises(type(raised)), quick() as run:
        raise raised
    assert book.run(run.id).head.note == note


def test_a_run_inside_another_is_in_its_experiment(
    quick: Any, book: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIMTAB_EXPERIMENT", "of the environment")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with quick(experiment="flights") as outer:
        with quick() as inner, quick(experiment="own") as own:
            pass
        with quick(project=elsewhere) as foreign:
            pass
    given = quick(parent=outer)
    given.end()
    runs = {run.head.id: run for run in book.runs()}
    assert foreign.id not in runs
    experiment = runs[outer.id].head.experiment
    assert [runs[run.id].head.experiment for run in (inner, given)] == [experiment] * 2
    assert runs[own.id].head.experiment != experiment
    there = type(book)(elsewhere).run(foreign.id)
    assert PARENT_TAG not in there.tags


def test_a_run_inside_another_is_its_child_and_one_beside_it_is_not(quick: Any, book: Any) -> None:
    beside: list[str] = []

    def work() -> None:
        with quick() as run:
            beside.append(run.id)
            assert trimtab.active_run() is run

    with quick() as outer:
        with quick() as inner, quick() as innermost:
            assert trimtab.active_run() is innermost
        assert trimtab.active_run() is outer
        given = quick(parent=inner)
        given.end()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert trimtab.active_run() is None
    parents = {run.head.id: run.tags.get(PARENT_TAG) for run in book.runs()}
    assert parents == {
        outer.id: None,
        inner.id: outer.id,
        innermost.id: inner.id,
        given.id: inner.id,
        beside[0]: None,
    }


def test_many_threads_log_to_one_run_and_each_to_its_own(quick: Any, book: Any) -> None:
    own: dict[int, str] = {}

    def work(number: int, shared: Any) -> None:
        with quick(f"own {number}") as mine:
            own[number] = mine.id
            for step in range(200):
                shared.metric("shared", number, number * 200 + step)
                mine.metric("own", number, step)

    with quick() as shared:
        threads = [threading.Thread(target=work, args=(number, shared)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(step for step, _ in book.points(shared.id, "shared")) == list(range(1600))
    for number, run in own.items():
        assert book.points(run, "own") == [(step, float(number)) for step in range(200)]


def _forked(run: Any) -> None:
    run.metric("child", 2.0, os.getpid())
    with trimtab.run(capture=False, system_metrics=False) as inner:
        inner.metric("own", 3.0)
    run.end()  # what a child does to its parent's run ends nothing


def test_a_forked_child_adds_to_the_run_and_does_not_end_it(quick: Any, book: Any) -> None:
    context = multiprocessing.get_context("fork")
    with quick() as run:
        run.metric("parent", 1.0)
        children = [context.Process(target=_forked, args=(run,)) for _ in range(3)]
        for child in children:
            child.start()
        for child in children:
            child.join(60)
            assert child.exitcode == 0
        assert book.run(run.id).head.status is RunStatus.RUNNING
        run.metric("parent", 2.0)
    assert sorted(step for step, _ in book.points(run.id, "child")) == sorted(child.pid for child in children)
    assert book.points(run.id, "parent") == [(0, 1.0), (1, 2.0)]
    inner = [each for each in book.runs() if each.tags.get(PARENT_TAG) == run.id]
    assert len(inner) == 3
    assert all(each.head.status is RunStatus.FINISHED for each in inner)


CHILD = """
import sys, trimtab
with trimtab.run(capture=False, system_metrics=False) as run:
    run.metric("from child", 1.0)
    print(run.id)
"""
KILLED = """
import os, sys, trimtab
run = trimtab.run("killed", capture=False, system_metrics=False, id="mine")
run.parameters(depth=3)
for step in range(1000):
    run.metric("loss", step)
run.flush()
print("flushed", flush=True)
os.kill(os.getpid(), 9)
"""
LEFT = """
import trimtab
run = trimtab.run(capture=False, system_metrics=False)
print(run.id)
run.metric("loss", 1.0)
"""


def python(text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(sys.path)
    return subprocess.run(
        [sys.executable, "-c", text],
        env=os.environ | {"PYTHONPATH": paths} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_process_that_is_told_the_run_adds_to_it(quick: Any, book: Any) -> None:
    with quick() as run:
        ran = python(CHILD, TRIMTAB_RUN=run.id)
        assert ran.stdout.strip() == run.id, ran.stderr
        assert book.run(run.id).head.status is RunStatus.RUNNING
    assert book.points(run.id, "from child") == [(0, 1.0)]
    assert len(book.runs()) == 1


def test_a_run_whose_process_was_killed_is_known_to_be_left(book: Any) -> None:
    ran = python(KILLED.replace("capture=False", "capture=True"))
    assert ran.stdout == "flushed\n", ran.stderr
    left = book.run("mine")
    assert left.head.status is RunStatus.RUNNING
    assert is_left(left)
    assert ended_ms(left, 2**60) == max(point.at_us for point in left.metrics.values()) // 1000
    with trimtab.run(id="mine"):
        assert not is_left(book.run("mine"))
    assert not is_left(book.run("mine"))


def test_a_killed_process_leaves_it_running_and_its_id_lets_it_go_on(quick: Any, book: Any) -> None:
    ran = python(KILLED)
    assert ran.stdout == "flushed\n", ran.stderr
    assert book.run("mine").head.status is RunStatus.RUNNING
    assert book.points("mine", "loss") == [(step, float(step)) for step in range(1000)]
    with quick(id="mine") as run:
        run.metric("loss", 0.0)
    kept = book.run("mine")
    assert (kept.head.status, kept.name) == (RunStatus.FINISHED, "killed")
    assert book.points("mine", "loss")[-1] == (1000, 0.0)
    with quick("renamed", id="mine"):
        assert book.run("mine").head.status is RunStatus.RUNNING
    assert book.run("mine").tags[NAME_TAG] == "renamed"


@pytest.mark.parametrize(("end", "status"), [("", RunStatus.FINISHED), ("1 / 0", RunStatus.FAILED)])
def test_a_run_that_nobody_ended_ends_with_the_interpreter(book: Any, end: str, status: RunStatus) -> None:
    run = python(LEFT + end).stdout.strip()
    assert book.run(run).head.status is status
    assert book.points(run, "loss") == [(0, 1.0)]


def test_values_that_are_no_finite_numbers_are_kept_as_they_are(quick: Any, book: Any) -> None:
    with quick() as run:
        for step, value in enumerate([math.inf, -math.inf, math.nan, np.float32(0.5), True]):
            run.metric("odd", value, step)
    values = [value for _, value in book.points(run.id, "odd")]
    assert values[:2] == [math.inf, -math.inf]
    assert math.isnan(values[2])
    assert values[3:] == [0.5, 1.0]


def test_a_huge_array_is_kept_whole(quick: Any, book: Any) -> None:
    count = 250_000  # more than is written at once
    with quick() as run:
        run.series("huge", np.arange(count), np.linspace(0.0, 1.0, count))
        run.metric("huge", 2.0)
    with book.tracking() as tracking:
        points = tracking.logbook.points(run.id, "huge")
    assert points.steps == array("q", range(count + 1))
    assert points.values[-2:].tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda run: run.metric("", 1.0), "metric"),
        (lambda run: run.metric("a\nb", 1.0), "metric"),
        (lambda run: run.metric("x" * 251, 1.0), "metric"),
        (lambda run: run.metric(["loss"], 1.0), "metric"),
        (lambda run: run.metric("loss", "much"), "loss"),
        (lambda run: run.metric("loss", 1.0, 1.5), "loss"),
        (lambda run: run.metric("loss", 1.0, 2**63), "loss"),
        (lambda run: run.metrics({"loss": 1.0, "bad": None}), "bad"),
        (lambda run: run.metrics({"loss": 1.0, "../x": 1.0}), "metric"),
        (lambda run: run.metrics({"loss": 1.0}, "first"), "step"),
        (lambda run: run.series("loss", [1, 2], [1.0]), "loss"),
        (lambda run: run.series("../x", [1], [1.0]), "metric"),
        (lambda run: run.parameters({"": 1}), "parameter"),
        (lambda run: run.parameters(ok=1, long="x" * 6001), "long"),
        (lambda run: run.tag("a//b", 1), "tag"),
        (lambda run: run.file(b"x"), "as_"),
        (lambda run: run.file(b"x", as_="../x"), "path"),
        (lambda run: run.file("no such file"), "no such file"),
        (lambda run: run.dataset(object()), "object"),
        (lambda run: run.dataset("no such file"), "no such file"),
    ],
)
def test_what_breaks_a_rule_is_refused_and_nothing_of_it_is_kept(
    quick: Any, book: Any, wrong: Any, says: str
) -> None:
    with quick() as run:
        run.metric("before", 1.0)
        with pytest.raises(UsageError, match=says):
            wrong(run)
        run.metric("after", 1.0)
    kept = book.run(run.id)
    assert (set(kept.metrics), kept.parameters, kept.datasets) == ({"before", "after"}, {}, ())
    assert book.files(run.id) == {}


def test_a_parameter_is_set_once(quick: Any, book: Any) -> None:
    with quick() as run:
        run.parameters(depth=3)
        run.parameters(depth=3)
        with pytest.raises(Conflict, match="depth"):
            run.parameters(depth=4, rate=1)
    assert book.run(run.id).parameters == {"depth": "3"}


def test_a_run_that_ended_takes_no_more(quick: Any, book: Any) -> None:
    run = quick()
    run.end("KILLED", note="enough")
    run.end()
    for log in (
        lambda: run.metric("x", 1.0),
        lambda: run.parameters(a=1),
        lambda: run.series("x", [1], [1.0]),
    ):
        with pytest.raises(StoreError, match="ended"):
            log()
    head = book.run(run.id).head
    assert (head.status, head.note) == (RunStatus.KILLED, "enough")


def test_a_run_that_somebody_deleted_ends_with_the_reason(quick: Any, book: Any) -> None:
    run = quick()
    with book.tracking() as tracking:
        tracking.runs.set_deleted(run.id, True, by=Actor(by="person:other"))
    with pytest.raises(Conflict, match="deleted"):
        run.end()
    assert run.ended


@pytest.mark.parametrize("word", ["RUNNING", "finished", "DONE"])
def test_what_is_no_end_is_refused_and_the_run_goes_on(quick: Any, book: Any, word: Any) -> None:
    run = quick()
    with pytest.raises(UsageError, match="FINISHED, FAILED or KILLED"):
        run.end(word)
    run.metric("loss", 1.0)
    run.end(note=None)
    assert book.run(run.id).head.status is RunStatus.FINISHED


@pytest.mark.parametrize(
    "named",
    [
        {"id": "../x"},
        {"experiment": "  "},
        {"tags": {"": 1}},
        {"experiment": "12"},
        {"system_metrics": -1},
        {"system_metrics": "often"},
        {"capture": "Diff"},
        {"seed": "x"},
    ],
)
def test_a_run_that_cannot_begin_so_does_not(quick: Any, book: Any, named: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        quick(**named)
    assert book.runs() == []


def test_a_tag_that_is_none_is_not_there(quick: Any, book: Any) -> None:
    with quick(id="mine", tags={"a": None, "b": 1}):
        pass
    assert "a" not in book.run("mine").tags
    with quick(id="mine", tags={"b": None}):
        pass
    assert "b" not in book.run("mine").tags


def test_files_are_kept_under_the_name_they_were_given_by(quick: Any, book: Any, tmp_path: Path) -> None:
    (tmp_path / "epoch=3.ckpt").write_text("weights")
    (tmp_path / "best.ckpt").symlink_to("epoch=3.ckpt")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    with quick() as run:
        run.file(tmp_path / "best.ckpt")
        run.file(bytearray(b"b"), as_=Path("notes") / "b")
        run.file(memoryview(b"c"), as_="c")
        with pytest.raises(UsageError, match="no such file"):
            run.file(tmp_path / "loop")
        with pytest.raises(UsageError, match="neither a file nor a folder"):
            run.file(tmp_path / "pipe")
    assert book.files(run.id) == {"best.ckpt": b"weights", "notes/b": b"b", "c": b"c"}


def test_a_run_cannot_be_pickled_and_says_what_to_do(quick: Any) -> None:
    with quick() as run, pytest.raises(TypeError, match=f"TRIMTAB_RUN={run.id}"):
        pickle.dumps(run)


def test_a_store_is_closed_with_the_last_run_that_uses_it(quick: Any) -> None:
    def writers() -> int:
        return sum(thread.name == "stream-writer" for thread in threading.enumerate())

    before = writers()
    with quick() as run:
        run.metric("x", 1.0)
        with quick():
            assert writers() == before + 1
    assert writers() == before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("trimtab")]
