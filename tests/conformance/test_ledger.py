"""The ledger's suite on SQLite, on PostgreSQL and on the fake."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trimtab.adapters.postgres_ledger import PostgresLedger
from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.ports.ledger import Ledger
from trimtab.testing.ledger_key_suite import LedgerKeys
from trimtab.testing.ledger_suite import (
    LedgerAppends,
    LedgerLaws,
    LedgerLeases,
    LedgerReading,
    MakeLedger,
)
from trimtab.testing.memory_ledger import MemoryLedger


@pytest.fixture(params=["sqlite", "postgres", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeLedger]:
    opened: list[Ledger] = []
    url = request.getfixturevalue("postgres_ledger_url") if request.param == "postgres" else ""

    def open_ledger(**wall: Callable[[], float]) -> Ledger:
        if request.param == "sqlite":
            opened.append(SqliteLedger(tmp_path / "ledger.sqlite", **wall))
        elif request.param == "postgres":
            opened.append(PostgresLedger(url, **wall))
        elif not opened:
            opened.append(MemoryLedger(**wall))
        return opened[-1]

    yield open_ledger
    for ledger in opened:
        ledger.close()


class TestAppends(LedgerAppends):
    pass


class TestKeys(LedgerKeys):
    pass


class TestReading(LedgerReading):
    pass


class TestLaws(LedgerLaws):
    pass


class TestLeases(LedgerLeases):
    pass
