"""A training goes on while its server is away, and all that it logged arrives, once."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

import trimtab
from parts.control import Control, control
from trimtab.adapters.control_client import ControlClient
from trimtab.adapters.spool import Spool
from trimtab.assembly.planes import free_port
from trimtab.assembly.recording.spool_place import spool_folder
from trimtab.assembly.token import create_token
from trimtab.atoms.actor import Actor
from trimtab.atoms.error import UsageError
from trimtab.atoms.run import PARENT_TAG, RunStatus

#: A call of a training that took longer was held up by the network.
LONGEST_S = 1.0


@pytest.fixture(autouse=True)
def of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith("TRIMTAB_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TRIMTAB_SPOOL", str(tmp_path / "spool"))


@pytest.fixture
def port() -> int:
    return free_port("127.0.0.1", 0, "--port")


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def kill(server: Control) -> None:
    server.child.process.kill()
    assert server.child.process.wait() == -signal.SIGKILL, "it had ended before it was killed"


@contextmanager
def client(server: Control) -> Iterator[ControlClient]:
    with ControlClient(server.address) as asked:
        yield asked


class Watch:
    """Knows the longest that a call took."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    @contextmanager
    def timing(self) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.longest_s = max(self.longest_s, time.monotonic() - began)


def letters(port: int) -> list[object]:
    spool = Spool(spool_folder(address(port)))
    try:
        return list(spool.dead_letters())
    finally:
        spool.close()


def test_the_server_is_killed_again_and_again_and_every_point_is_there_once(
    tmp_path: Path, port: int
) -> None:
    """kill -9 while points stream in; then a stop that does not answer; the training never waits for it."""
    count, watch, kills = 0, Watch(), 0
    trimtab.run("warm", server=address(port), capture=False, system_metrics=False).end()
    with trimtab.run("training", server=address(port), system_metrics=0.2) as run:
        for number in range(4):
            with control(tmp_path / "project", port=port) as server:
                deadline = time.monotonic() + (1.0 if number < 3 else 0.5)
                while time.monotonic() < deadline:
                    for _ in range(50):
                        with watch.timing():
                            run.metric("loss", count / 7, count)
                        count += 1
                    with watch.timing():
                        run.parameters({f"p{count}": number})
                    with watch.timing():
                        run.flush()
                    time.sleep(0.005)
                if number == 3:
                    server.child.process.send_signal(signal.SIGSTOP)
                    with watch.timing():
                        run.metric("loss", count / 7, count)
                    with watch.timing():
                        run.file(b"while nobody answers" * 10_000, as_="a file.txt")
                    with watch.timing():
                        run.flush()
                    count += 1
                    time.sleep(0.5)
                    server.child.process.send_signal(signal.SIGCONT)
                else:
                    kill(server)
                    kills += 1
                    for _ in range(500):
                        with watch.timing():
                            run.metric("loss", count / 7, count)
                        count += 1
        began = time.monotonic()
    assert time.monotonic() - began < 10.0
    assert kills == 3
    assert watch.longest_s < LONGEST_S
    with control(tmp_path / "project", port=port) as server, client(server) as asked:
        done = trimtab.sync(server.address, patience_s=30.0)
        assert (done.waits, done.refused) == ("", 0)
        kept = asked.runs.find(run.id)
        assert kept.head.status is RunStatus.FINISHED
        points = asked.logbook.points(run.id, "loss")
        assert points.steps.tolist() == list(range(count))
        assert points.values.tolist() == [step / 7 for step in range(count)]
        assert kept.parameters.keys() >= {"p50", "p100"}
        assert {file.path for file in asked.files.under(run.id)} == {"a file.txt", "environment.json"}
        with asked.files.read(run.id, "a file.txt") as chunks:
            assert b"".join(chunks) == b"while nobody answers" * 10_000
        assert {each.name for each in asked.runs.search().items} == {"training", "warm"}
    assert letters(port) == []


OFFLINE = """
import os, sys, trimtab
with trimtab.run("alone", id="alone", server=sys.argv[1], capture=False, system_metrics=False) as run:
    for step in range(2000):
        run.metric("loss", step, step)
    run.parameters(depth=3)
    with trimtab.run("child", id="child", server=sys.argv[1], capture=False, system_metrics=False) as child:
        child.metric("x", float("inf"))
        child.flush()
    if "die" in sys.argv:
        run.flush()
        os.kill(os.getpid(), 9)
"""


def python(*words: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", *words],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        stdout=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("end", ["end", "die"])
def test_a_run_that_never_saw_its_server_is_there_after_the_next_one(
    tmp_path: Path, port: int, end: str
) -> None:
    began = python(OFFLINE, address(port), end)
    said = began.communicate(timeout=60)[1]
    assert began.returncode == (0 if end == "end" else -signal.SIGKILL), said
    assert "sent later by itself" in said or end == "die"
    with control(tmp_path / "project", port=port) as server, client(server) as asked:
        trimtab.run("next", server=server.address, capture=False, system_metrics=False).end()
        kept = asked.runs.find("alone")
        assert kept.head.status is (RunStatus.FINISHED if end == "end" else RunStatus.RUNNING)
        assert kept.parameters == {"depth": "3"}
        assert asked.logbook.points("alone", "loss").steps.tolist() == list(range(2000))
        child = asked.runs.find("child")
        assert child.tags[PARENT_TAG] == "alone"
        assert child.metrics["x"].value == float("inf")
        with trimtab.run(id="alone", server=server.address, capture=False, system_metrics=False) as run:
            assert run.name == "alone"
            run.metric("loss", 0.0)
        kept = asked.runs.find("alone")
        assert (kept.head.status, kept.metrics["loss"].step) == (RunStatus.FINISHED, 2000)


def test_a_run_goes_on_before_its_first_half_has_arrived(tmp_path: Path, port: int) -> None:
    """The spool holds its beginning and its end when it is let go on: it is running all the same."""
    assert python(OFFLINE, address(port), "end").communicate(timeout=60)[1]
    with trimtab.run(id="alone", server=address(port), capture=False, system_metrics=False) as run:
        run.metric("after", 1.0)
        with control(tmp_path / "project", port=port) as server, client(server) as asked:
            assert trimtab.sync(server.address, patience_s=30.0).waits == ""
            kept = asked.runs.find("alone")
            assert kept.head.status is RunStatus.RUNNING
            assert {"loss", "after"} <= kept.metrics.keys()


def test_what_waits_for_a_token_is_not_lost(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with trimtab.run(id="early", server=address(port), capture=False, system_metrics=False) as run:
        run.metric("loss", 1.0)
    with control(tmp_path / "project", '[control]\nauth = "always"\n', port=port) as server:
        done = trimtab.sync(server.address, patience_s=1.0)
        assert "TRIMTAB_TOKEN" in done.waits
        assert (done.sent, done.refused, letters(port)) == (0, 0, [])
        with closing(server.project.open_store()) as store:
            day = timedelta(days=1)
            roles, by = ["runner"], Actor(by="person:ann")
            token = create_token(store, "ci", roles, project=server.project.name, expires_in=day, by=by)[0]
        monkeypatch.setenv("TRIMTAB_TOKEN", token)
        done = trimtab.sync(server.address, patience_s=30.0)
        assert (done.waits, done.refused) == ("", 0)
        with ControlClient(server.address, token) as asked:
            assert asked.runs.find("early").head.status is RunStatus.FINISHED


MANY = """
import sys, trimtab
with trimtab.run(id=f"own-{sys.argv[2]}", server=sys.argv[1], capture=False, system_metrics=False) as run:
    for step in range(1000):
        run.metric("loss", int(sys.argv[2]), step)
"""


def test_processes_that_share_a_spool_do_not_mix(tmp_path: Path, port: int) -> None:
    with control(tmp_path / "project", port=port) as server, client(server) as asked:
        children = [python(MANY, server.address, str(number)) for number in range(4)]
        for child in children:
            said = child.communicate(timeout=60)[1]
            assert child.returncode == 0, said
        assert trimtab.sync(server.address, patience_s=30.0).waits == ""
        for number in range(4):
            points = asked.logbook.points(f"own-{number}", "loss")
            assert points.steps.tolist() == list(range(1000))
            assert set(points.values) == {float(number)}
            assert asked.runs.find(f"own-{number}").head.status is RunStatus.FINISHED


def test_what_the_server_refuses_is_told_and_the_rest_goes_on(
    tmp_path: Path, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with control(tmp_path / "project", port=port) as server, client(server) as asked:
        with trimtab.run(server=server.address, capture=False, system_metrics=False) as run:
            run.parameters(depth=3)
            run.parameters(depth=4)
            run.metric("loss", 1.0)
        assert asked.runs.find(run.id).parameters == {"depth": "3"}
        assert "loss" in asked.runs.find(run.id).metrics
    assert "depth" in caplog.text
    assert len(letters(port)) == 1


def test_a_server_that_wants_a_token_says_so_at_once_and_shows_none(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with control(tmp_path / "project", '[control]\nauth = "always"\n', port=port) as server:
        with pytest.raises(UsageError, match="TRIMTAB_TOKEN"):
            trimtab.run(server=server.address)
        secret = "tt_runner_not-a-token-0123456789"
        monkeypatch.setenv("TRIMTAB_TOKEN", secret)
        with pytest.raises(UsageError) as raised:
            trimtab.run(server=server.address)
        assert secret not in str(raised.value) + caplog.text
    everything = b"".join(path.read_bytes() for path in (tmp_path / "spool").rglob("*") if path.is_file())
    assert secret.encode() not in everything
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("trimtab")]


MLFLOW = """
import json, sys, warnings
warnings.simplefilter("ignore")
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
experiment = client.get_experiment_by_name("flights")
found = client.search_runs([experiment.experiment_id], "metrics.loss < 1 and params.depth = '3'")
(run,) = found
print(json.dumps({
    "id": run.info.run_id,
    "name": run.info.run_name,
    "status": run.info.status,
    "parameters": run.data.params,
    "loss": [[point.step, point.value] for point in client.get_metric_history(run.info.run_id, "loss")],
    "files": sorted(file.path for file in client.list_artifacts(run.info.run_id)),
    "note": run.data.tags["mlflow.note.content"],
    "dataset": [run.inputs.dataset_inputs[0].dataset.name, run.inputs.dataset_inputs[0].tags[0].value],
    "children": [each.info.run_name for each in client.search_runs(
        [experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")],
}))
client.log_metric(run.info.run_id, "added", 2.0)
"""


def test_a_run_is_the_same_thing_for_an_mlflow_client(tmp_path: Path, port: int) -> None:
    with control(tmp_path / "project", port=port) as server, client(server) as asked:
        named: dict[str, object] = {
            "server": server.address,
            "experiment": "flights",
            "system_metrics": False,
        }
        with trimtab.run("ours", note="why", **named) as run:  # type: ignore[arg-type]
            run.parameters(depth=3)
            run.series("loss", [0, 1, 2], [0.75, 0.5, 0.25])
            run.file(b"x", as_="notes.txt")
            run.dataset(__file__, name="rows", context="validation")
            with trimtab.run("part", **named):  # type: ignore[arg-type]
                pass
        ran = subprocess.run(
            [sys.executable, "-c", MLFLOW, server.address],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout.splitlines()[-1]) == {
            "id": run.id,
            "name": "ours",
            "status": "FINISHED",
            "parameters": {"depth": "3"},
            "loss": [[0, 0.75], [1, 0.5], [2, 0.25]],
            "files": ["environment.json", "notes.txt"],
            "note": "why",
            "dataset": ["rows", "validation"],
            "children": ["part"],
        }
        assert asked.runs.find(run.id).metrics["added"].value == 2.0
