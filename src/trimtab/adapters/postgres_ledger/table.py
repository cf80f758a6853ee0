"""The ledger's tables over a connection to PostgreSQL."""

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import psycopg

from trimtab.adapters.process_holder import is_dead, this_process
from trimtab.adapters.sql_ledger.table import ENDS, Row

_KNOWN = """
SELECT id, name FROM entry WHERE name <> 'closing' AND id = ANY(?)
UNION ALL SELECT id, name FROM entry WHERE name = 'closing' AND id = ANY(?)
"""
#: All entries of a transaction and its head in one statement: one way to the server and back.
_ADD = """
WITH moved AS (UPDATE head SET seq = ?, chain = ?)
INSERT INTO entry SELECT * FROM unnest(?::bigint[], ?::text[], ?::text[], ?::bytea[], ?::text[])
"""


@functools.lru_cache(maxsize=64)
def _statement(sql: str) -> bytes:
    """The statement with psycopg's placeholders; none of ours has a question mark or a per cent sign otherwise."""
    return sql.replace("?", "%s").encode()


class PostgresTables:
    """See `Tables`."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        """Speak over `connection`."""
        self._connection = connection

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Any:
        """See `Tables`."""
        return self._connection.execute(_statement(sql), values or None)


class PostgresWritingTables(PostgresTables):
    """See `WritingTables`; for one transaction, as it remembers where the ledger ends."""

    def __init__(self, connection: "psycopg.Connection[Any]", wall: Callable[[], float] | None) -> None:
        """Begin the transaction and take the right to write.

        Args:
            connection: One that is in no transaction.
            wall: Seconds since 1970 by which leases end; the database's own where None.
        """
        super().__init__(connection)
        self._wall = wall
        self._rows: list[Row] = []
        #: Names under each id of `_rows`.
        self._new: dict[str, list[str]] = {}
        #: Number and chain value of the last entry that this transaction wrote.
        self.wrote: tuple[int, str] | None = None
        self.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        # The chain is written by one transaction at a time, over all processes. The ends are read by a statement of
        # their own: this one's view of `entry` is from before its wait.
        self.execute("SELECT one FROM head FOR UPDATE")
        self._ends: tuple[int, str, int, str] | None = self.execute(ENDS).fetchone()

    def ends(self) -> tuple[int, str, int, str] | None:
        """See `WritingTables`."""
        return self._ends

    def known(self, ids: Collection[str]) -> Iterable[tuple[str, str]]:
        """See `WritingTables`."""
        asked = list(ids)
        found: list[tuple[str, str]] = self.execute(_KNOWN, (asked, asked)).fetchall() if asked else []
        return [*found, *((each, name) for each in asked for name in self._new.get(each, ()))]

    def add(self, rows: Sequence[Row]) -> None:
        """See `WritingTables`; they are sent by `send`, together with what else shares the transaction."""
        self._rows += rows
        for _, name, record_id, _, _ in rows:
            self._new.setdefault(record_id, []).append(name)
        self.wrote = rows[-1][0], rows[-1][4]
        self._ends = (*self.wrote, *self.wrote)

    def send(self) -> None:
        """Send what `add` was given; before the commit."""
        if self.wrote is not None:
            columns = (list(column) for column in zip(*self._rows, strict=True))
            self.execute(_ADD, (*self.wrote, *columns))

    def holds(self, entry: tuple[int, str]) -> bool:
        """Whether an entry with this number and chain value is there."""
        found = self.execute("SELECT 1 FROM entry WHERE seq = ? AND chain = ?", entry).fetchone()
        return found is not None

    def now(self) -> float:
        """See `WritingTables`; the clocks of the machines that share a database need not agree."""
        if self._wall is not None:
            return self._wall()
        (seconds,) = self.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        return float(seconds)

    def is_dead(self, holder: str) -> bool:
        """See `WritingTables`; never for a holder of another machine, though it may have this one's name."""
        return _world(holder) == _world(this_process()) != "" and is_dead(holder)


def _world(holder: str) -> str:
    """Host, boot and container of a holder on Linux; empty where they cannot be told."""
    parts = holder.split(":")
    born = parts[2].split(".") if len(parts) > 2 else []
    return f"{parts[0]}:{born[0]}.{born[1]}" if len(born) == 3 else ""
