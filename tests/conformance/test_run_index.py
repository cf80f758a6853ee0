"""The run index's suites on SQLite and on the fake."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.ports.run_index import RunIndex
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.testing.run_index_suite import IndexKeepsPoints, IndexShared, IndexTakes, MakeIndex
from trimtab.testing.run_search_suite import IndexFilters, IndexOrders, IndexPages, IndexSearchesModels
from trimtab.testing.run_thing_suite import IndexKeepsGroups, IndexKeepsThings, IndexTakesInAnyOrder


@pytest.fixture(params=["sqlite", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeIndex]:
    opened: list[RunIndex] = []

    def open_index() -> RunIndex:
        if request.param == "sqlite":
            opened.append(open_run_index(tmp_path / "runs.sqlite"))
        elif not opened:
            opened.append(MemoryRunIndex())
        return opened[-1]

    yield open_index
    for index in opened:
        index.close()


class TestTakes(IndexTakes):
    pass


class TestShared(IndexShared):
    pass


class TestKeepsGroups(IndexKeepsGroups):
    pass


class TestKeepsPoints(IndexKeepsPoints):
    pass


class TestKeepsThings(IndexKeepsThings):
    pass


class TestFilters(IndexFilters):
    pass


class TestOrders(IndexOrders):
    pass


class TestPages(IndexPages):
    pass


class TestSearchesModels(IndexSearchesModels):
    pass


class TestTakesInAnyOrder(IndexTakesInAnyOrder):
    pass
