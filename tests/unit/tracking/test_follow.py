"""The index is brought up to date by whoever reads, from wherever it stands."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from trimtab.adapters.local_store import open_store
from trimtab.adapters.sqlite_run_index import discard_run_index, open_run_index
from trimtab.atoms.actor import Actor
from trimtab.atoms.run import RunStatus
from trimtab.atoms.run_event import STREAM, RunEvent
from trimtab.atoms.run_query import Query
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.tracking import follow
from trimtab.tracking.tracking import Tracking, open_tracking

from .conftest import Open, points


def _some(tracking: Tracking, ada: Actor, runs: int = 7) -> list[str]:
    made = [tracking.runs.open(by=ada, parameters={"n": str(number)}).head.id for number in range(runs)]
    for run in made:
        tracking.logbook.log(points(run, "loss", 3.0, 2.0, 1.0))
        tracking.runs.close(run, RunStatus.FINISHED, by=ada)
    return made


def test_a_new_index_is_filled_in_batches(
    tracking: Tracking, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = _some(tracking, ada)
    monkeypatch.setattr(follow, "MOST_ENTRIES", 4)
    monkeypatch.setattr(follow, "MOST_EVENTS", 3)
    taken: list[int] = []

    class Counting(MemoryRunIndex):
        def take(self, tracked: Any, **words: Any) -> bool:
            taken.append(len(tracked))
            return super().take(tracked, **words)

    anew = open_tracking(tracking.store, Counting())
    assert [anew.runs.find(run) for run in runs] == [tracking.runs.find(run) for run in runs]
    assert len(taken) > 5
    assert max(taken) <= 3 + 4


def test_nothing_is_read_where_nothing_is_new(tracking: Tracking, ada: Actor) -> None:
    _some(tracking, ada, 1)
    tracking.follower.catch_up()
    asked: list[str] = []
    streams = tracking.store.streams
    read = streams.read

    def counted(*words: Any, **more: Any) -> Any:
        asked.append("read")
        return read(*words, **more)

    streams.read = counted  # type: ignore[method-assign]
    for _ in range(10):
        tracking.follower.catch_up()
    assert asked == []
    tracking.logbook.log(points(tracking.runs.search(Query()).items[0].head.id, "loss", 4.0))
    tracking.follower.catch_up()
    assert asked


def test_who_loses_a_race_reads_again(tracking: Tracking, another: Open, ada: Actor) -> None:
    other = another()
    run = tracking.runs.open(by=ada).head.id
    take, lost = tracking.index.take, []

    def late(*words: Any, **more: Any) -> bool:
        first = not lost
        if first:
            lost.append(None)
            other.follower.catch_up()
        taken = take(*words, **more)
        assert taken is not first
        return taken

    tracking.logbook.log(RunEvent(owner=run, tags={"a": "b"}))
    tracking.index.take = late  # type: ignore[method-assign]
    assert tracking.runs.find(run).tags["a"] == "b"
    assert lost


def test_any_number_may_follow_at_once(tracking: Tracking, another: Open, ada: Actor) -> None:
    others = [tracking, another(), another()]
    run = tracking.runs.open(by=ada).head.id

    def log(number: int) -> None:
        mine = others[number % 3]
        for step in range(10):
            mine.logbook.log(points(run, f"m{number}", *map(float, range(step + 1))))
            assert len(mine.logbook.points(run, f"m{number}")) == step + 1

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(log, range(6)))
    assert sorted(tracking.runs.find(run).metrics) == [f"m{number}" for number in range(6)]


def test_an_index_that_is_lost_is_made_again(tmp_path: Path, ada: Actor) -> None:
    store, path = open_store(tmp_path / "store"), tmp_path / "runs.sqlite"
    tracking = open_tracking(store, open_run_index(path))
    runs = _some(tracking, ada, 2)
    before = [tracking.runs.find(run) for run in runs]
    discard_run_index(path)
    time.sleep(follow.TRUSTED_SECONDS)
    assert [tracking.runs.find(run) for run in runs] == before
    tracking.index.close()
    store.close()


def test_a_segment_that_a_power_cut_shortened_is_read_anew(tmp_path: Path, ada: Actor) -> None:
    """The index took in what was written and not durable yet: nobody was told that it is kept."""
    store, index = open_store(tmp_path / "store"), open_run_index(tmp_path / "runs.sqlite")
    tracking = open_tracking(store, index)
    run = tracking.runs.open(by=ada).head.id
    tracking.logbook.log(points(run, "loss", 1.0))
    (segment,) = (tmp_path / "store" / "streams" / STREAM).glob("*.seg")
    kept = segment.stat().st_size
    tracking.logbook.log(points(run, "loss", 1.0, 2.0))
    assert len(tracking.logbook.points(run, "loss")) == 2
    os.truncate(segment, kept)
    anew = open_tracking(open_store(tmp_path / "store"), index)
    assert len(anew.logbook.points(run, "loss")) >= 1
    anew.logbook.log(points(run, "loss", 1.0, 5.0))
    assert [point.value for point in anew.logbook.points(run, "loss")][-1] == 5.0
    anew.store.close()
    index.close()
    store.close()


def test_the_thread_follows_and_stops(tracking: Tracking, ada: Actor) -> None:
    run = tracking.runs.open(by=ada).head.id
    tracking.follower.start(0.01)
    tracking.follower.start(0.01)
    tracking.logbook.log(points(run, "loss", 1.0))
    deadline = time.monotonic() + 20
    while tracking.index.runs.find(run) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert tracking.index.runs.find(run) is not None
    tracking.follower.stop()
    tracking.follower.stop()
    assert "run-index-follower" not in {thread.name for thread in threading.enumerate()}
