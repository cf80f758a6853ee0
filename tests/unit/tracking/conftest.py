"""Tracking over the fakes, and over SQLite and segment files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trimtab.adapters.local_store import open_store
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.atoms.actor import Actor
from trimtab.atoms.metric_point import Points, encode_points
from trimtab.atoms.run_event import RunEvent
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.testing.memory_store import memory_store
from trimtab.tracking.tracking import Tracking, open_tracking

Open = Callable[[], Tracking]


@pytest.fixture(params=["memory", "sqlite"])
def another(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same tracking again and again, each time as another process would."""
    opened: list[Tracking] = []

    def open_it() -> Tracking:
        if request.param == "sqlite":
            opened.append(
                open_tracking(open_store(tmp_path / "store"), open_run_index(tmp_path / "runs.sqlite"))
            )
        elif opened:
            opened.append(open_tracking(opened[0].store, opened[0].index))
        else:
            opened.append(open_tracking(memory_store(), MemoryRunIndex()))
        return opened[-1]

    yield open_it
    for tracking in opened:
        tracking.follower.stop()
        if request.param == "sqlite":
            tracking.index.close()
            tracking.store.close()


@pytest.fixture
def tracking(another: Open) -> Tracking:
    """Nothing is tracked yet."""
    return another()


@pytest.fixture
def ada() -> Actor:
    return Actor(by="person:ada")


def points(owner: str, metric: str, *values: float, model: str = "") -> RunEvent:
    """An event with points of steps 0, 1, 2 ... a second apart."""
    logged = Points()
    for step, value in enumerate(values):
        logged.add(metric, step, value, step * 1_000_000)
    return RunEvent(owner=owner, points=encode_points(logged), points_model=model)
