"""The ledger's suite on SQLite and on the fake."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.ports.ledger import Ledger
from trimtab.testing.ledger_suite import LedgerAppends, LedgerLaws, LedgerLeases, LedgerReading, MakeLedger
from trimtab.testing.memory_ledger import MemoryLedger


@pytest.fixture(params=["sqlite", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeLedger]:
    opened: list[Ledger] = []

    def open_ledger(*, wall: Callable[[], float] = time.time) -> Ledger:
        if request.param == "sqlite":
            opened.append(SqliteLedger(tmp_path / "ledger.sqlite", wall=wall))
        elif not opened:
            opened.append(MemoryLedger(wall=wall))
        return opened[-1]

    yield open_ledger
    for ledger in opened:
        ledger.close()


class TestAppends(LedgerAppends):
    pass


class TestReading(LedgerReading):
    pass


class TestLaws(LedgerLaws):
    pass


class TestLeases(LedgerLeases):
    pass
