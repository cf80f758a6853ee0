"""The ledger port on one SQLite file."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from trimtab.adapters.sqlite_file import ReadingConnections
from trimtab.adapters.sqlite_ledger import lease as leases
from trimtab.adapters.sqlite_ledger.schema import open_ledger_file
from trimtab.adapters.sqlite_ledger.writer import Writer
from trimtab.atoms.action import Closing
from trimtab.atoms.entry import (
    GENESIS,
    RECORD_NAMES,
    Entry,
    Record,
    chain_value,
    id_prefix,
    parse_record,
    record_bytes,
)
from trimtab.atoms.error import Damaged
from trimtab.atoms.law import admit
from trimtab.ports.ledger import Lease

#: Entries read in one query: a reader holds no transaction open between two of them.
_PAGE = 1000
#: As bytes, whatever somebody who changed the file by hand has put there.
_RECORD = "seq, name, CAST(body AS BLOB)"


class SqliteLedger:
    """WAL, flushed at each commit, one writing thread with group commit for each of the processes."""

    def __init__(self, path: Path, *, wall: Callable[[], float] = time.time) -> None:
        """Open the ledger in the file `path`, made where there is none.

        Args:
            path: The file; its folder must be there.
            wall: Seconds since 1970 by which leases end.

        Raises:
            StoreError: The file is not a ledger, is a newer one, or cannot be written.
        """
        self._path = path
        self._wall = wall
        self._writer = Writer(path, open_ledger_file(path))
        self._reading = ReadingConnections(path)

    def append(self, records: Sequence[Record], *, lease: Lease | None = None) -> int:
        """See the port."""
        bodies = {id(record): record_bytes(record) for record in records}

        def write(connection: sqlite3.Connection) -> int:
            if lease is not None:
                leases.hold(connection, lease)
            new = admit(records, _Known(connection))
            seq, chain = _head(connection)
            rows = []
            for record in new:
                name, body = RECORD_NAMES[type(record)], bodies[id(record)]
                seq, chain = seq + 1, chain_value(chain, name, body)
                key = record.action if isinstance(record, Closing) else record.id
                rows.append((seq, name, key, body, chain))
            connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", rows)
            return seq

        return self._writer.do(write)

    def entries(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        """See the port; a changed or missing entry raises `Damaged`, as the chain is checked on the way."""
        left = limit
        chain: str | None = None
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            with self._reading.lend() as connection:
                if chain is None:
                    chain = GENESIS if after <= 0 else _chain_at(connection, after)
                rows = connection.execute(
                    f"SELECT {_RECORD}, chain FROM entry WHERE seq > ? ORDER BY seq LIMIT ?",
                    (after, size),
                ).fetchall()
            for seq, name, body, stored in rows:
                if seq != after + 1 and after >= 0:
                    raise Damaged(
                        f"{self._path}: entry {after + 1} is missing: restore the ledger from a backup"
                    )
                if chain is not None and chain_value(chain, name, body) != stored:
                    raise Damaged(
                        f"{self._path}: entry {seq} ({name}) was changed after it was written: "
                        "restore the ledger from a backup"
                    )
                after, chain = seq, stored
                yield Entry(seq=seq, record=self._parse(seq, name, body), chain=stored)
            if len(rows) < size:
                return
            left = None if left is None else left - len(rows)

    def head(self) -> tuple[int, str]:
        """See the port."""
        with self._reading.lend() as connection:
            return _head(connection)

    def find(self, record_id: str) -> Record | None:
        """See the port."""
        with self._reading.lend() as connection:
            row = connection.execute(
                f"SELECT {_RECORD} FROM entry WHERE id = ? AND name <> 'closing'",
                (record_id,),
            ).fetchone()
        return self._parse(*row) if row else None

    def starting_with(self, prefix: str, limit: int = 10) -> list[Record]:
        """See the port; ordered by id."""
        low = id_prefix(prefix)
        with self._reading.lend() as connection:
            rows = connection.execute(
                f"SELECT {_RECORD} FROM entry WHERE id >= ? AND id < ? AND name <> 'closing' "
                "ORDER BY id LIMIT ?",
                (low, low + "g", limit),
            ).fetchall()
        return [self._parse(*row) for row in rows]

    def take_lease(self, name: str, holder: str, seconds: float) -> Lease | None:
        """See the port; a lease of a process of this host that has died is free at once."""
        return self._writer.do(
            lambda connection: leases.take(connection, name, holder, self._wall(), seconds)
        )

    def give_lease(self, lease: Lease) -> None:
        """See the port."""
        self._writer.do(lambda connection: leases.give(connection, lease), durable=False)

    def close(self) -> None:
        """See the port."""
        self._reading.close()
        self._writer.close()

    def _parse(self, seq: int, name: str, body: bytes) -> Any:
        try:
            return parse_record(name, body)
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise Damaged(f"{self._path}: entry {seq} ({name}) cannot be read: {error}") from error


class _Known:
    """What the laws ask, answered inside the writing transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def name_of(self, record_id: str) -> str | None:
        row = self._connection.execute(
            "SELECT name FROM entry WHERE id = ? AND name <> 'closing'", (record_id,)
        ).fetchone()
        return row[0] if row else None

    def is_closed(self, action: str) -> bool:
        found = self._connection.execute("SELECT 1 FROM entry WHERE id = ? AND name = 'closing'", (action,))
        return found.fetchone() is not None


def _head(connection: sqlite3.Connection) -> tuple[int, str]:
    row = connection.execute("SELECT seq, chain FROM entry ORDER BY seq DESC LIMIT 1").fetchone()
    return (row[0], row[1]) if row else (0, GENESIS)


def _chain_at(connection: sqlite3.Connection, seq: int) -> str | None:
    row = connection.execute("SELECT chain FROM entry WHERE seq = ?", (seq,)).fetchone()
    return row[0] if row else None
