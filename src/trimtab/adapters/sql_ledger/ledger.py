"""The ledger port on SQL tables."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from trimtab.adapters.sql_ledger import lease as leases
from trimtab.adapters.sql_ledger.end import last_of, read_ends, whole_end
from trimtab.adapters.sql_ledger.table import Database, Row, Tables, WritingTables
from trimtab.atoms.action import Closing
from trimtab.atoms.entry import (
    GENESIS,
    RECORD_NAMES,
    Entry,
    Record,
    chain_value,
    digest_of_append,
    id_prefix,
    parse_record,
    record_bytes,
)
from trimtab.atoms.error import Damaged, UsageError
from trimtab.atoms.law import admit, references
from trimtab.ports.ledger import Lease

#: Entries read in one query: a reader holds no transaction open between two of them.
_PAGE = 1000
#: Entries, each with the chain value of the one before it.
_LINKED = """
SELECT one.seq, one.name, one.body, one.chain, one.id, before.chain
FROM entry one LEFT JOIN entry before ON before.seq = one.seq - 1
"""


class SqlLedger:
    """What is the same in every database; its two subclasses say how theirs is opened, and nothing else."""

    def __init__(self, database: Database) -> None:
        """Work on `database`, whose tables are there; closing the ledger closes it."""
        self._database = database

    def __repr__(self) -> str:
        """Names the place, without a password."""
        return f"{type(self).__name__}({self._database.shown!r})"

    def append(self, records: Sequence[Record], *, lease: Lease | None = None, key: str | None = None) -> int:
        """See the port."""
        bodies = {id(record): record_bytes(record) for record in records}
        named = [(RECORD_NAMES[type(record)], bodies[id(record)]) for record in records]
        digest = "" if key is None else digest_of_append(key, named)

        def write(tables: WritingTables) -> int:
            if key is not None and (given := _given_before(tables, key, digest)) is not None:
                return given
            if lease is not None:
                leases.hold(tables, lease)
            seq, chain = whole_end(tables.ends(), self._database.shown)
            rows: list[Row] = []
            for record in admit(records, _Known(tables, records)):
                name, body = RECORD_NAMES[type(record)], bodies[id(record)]
                seq, chain = seq + 1, chain_value(chain, name, body)
                rows.append((seq, name, _id_of(record), body, chain))
            if rows:
                tables.add(rows)
            if key is not None:
                tables.execute(
                    "INSERT INTO append_key (key, digest, seq) VALUES (?, ?, ?)", (key, digest, seq)
                )
            return seq

        return self._database.write(write)

    def entries(self, after: int = 0, limit: int | None = None) -> Iterator[Entry]:
        """See the port; a changed or missing entry, the last one too, raises `Damaged` when it is reached."""
        left, after = limit, max(after, 0)
        chain: str | None = None
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            head, before, rows = self._database.read(partial(self._page, after=after, size=size, chain=chain))
            chain = before
            for seq, name, raw, stored in rows:
                body = _bytes(raw)
                if seq != after + 1:
                    raise self._damaged(f"entry {after + 1} is missing")
                if chain is not None and chain_value(chain, name, body) != stored:
                    raise self._damaged(f"entry {seq} ({name}) was changed after it was written")
                if seq == head[0] and stored != head[1]:
                    raise self._damaged(
                        f"entry {seq} ({name}) is not the one that was written as this number"
                    )
                after, chain = seq, stored
                yield Entry(seq=seq, record=self._parse(seq, name, body), chain=stored)
            if len(rows) < size:
                if after < head[0]:
                    raise self._damaged(f"entry {after + 1} is missing: the ledger went up to {head[0]}")
                return
            left = None if left is None else left - len(rows)

    def head(self) -> tuple[int, str]:
        """See the port; of the last entry that was acknowledged, also where its row is gone: `entries` tells."""
        return last_of(self._database.read(read_ends), self._database.shown)

    def find(self, record_id: str) -> Record | None:
        """See the port."""
        rows = self._database.read(
            lambda tables: tables.execute(
                f"{_LINKED} WHERE one.id = ? AND one.name <> 'closing'", (record_id,)
            ).fetchall()
        )
        return self._proven(*rows[0]) if rows else None

    def starting_with(self, prefix: str, limit: int = 10) -> list[Record]:
        """See the port; ordered by id."""
        low = id_prefix(prefix)
        rows = self._database.read(
            lambda tables: tables.execute(
                f"{_LINKED} WHERE one.id >= ? AND one.id < ? AND one.name <> 'closing' "
                "ORDER BY one.id LIMIT ?",
                (low, low + "g", limit),
            ).fetchall()
        )
        return [self._proven(*row) for row in rows]

    def take_lease(self, name: str, holder: str, seconds: float) -> Lease | None:
        """See the port; a lease of a process of this machine that has died is free at once."""
        return self._database.write(lambda tables: leases.take(tables, name, holder, seconds))

    def give_lease(self, lease: Lease) -> None:
        """See the port."""
        self._database.write(lambda tables: leases.give(tables, lease), durable=False)

    def close(self) -> None:
        """See the port."""
        self._database.close()

    def _page(
        self, tables: Tables, *, after: int, size: int, chain: str | None
    ) -> tuple[tuple[int, str], str | None, list[Any]]:
        """The last entry's number and chain value, the chain value before the first row, and the rows.

        The end is looked at first: rows that come meanwhile are then beyond it, and never look missing.
        """
        head = last_of(read_ends(tables), self._database.shown)
        if chain is None:
            found = (
                tables.execute("SELECT chain FROM entry WHERE seq = ?", (after,)).fetchone()
                if after
                else None
            )
            chain = found[0] if found else (None if after else GENESIS)
        rows = tables.execute(
            "SELECT seq, name, body, chain FROM entry WHERE seq > ? ORDER BY seq LIMIT ?", (after, size)
        ).fetchall()
        return head, chain, rows

    def _proven(self, seq: int, name: str, body: Any, stored: str, key: str, before: str | None) -> Any:
        """The record of a row that hangs on the chain value before it, and is found under its own id."""
        before = GENESIS if seq == 1 else before
        if before is None:
            raise self._damaged(f"entry {seq - 1} is missing")
        if chain_value(before, name, _bytes(body)) != stored:
            raise self._damaged(f"entry {seq} ({name}) was changed after it was written")
        record = self._parse(seq, name, body)
        if record.id != key:
            raise self._damaged(f"entry {seq} ({name}) is found under an id that is not its own")
        return record

    def _parse(self, seq: int, name: str, body: Any) -> Any:
        try:
            return parse_record(name, _bytes(body))
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise Damaged(f"{self._database.shown}: entry {seq} ({name}) cannot be read: {error}") from error

    def _damaged(self, what: str) -> Damaged:
        return Damaged(f"{self._database.shown}: {what}: restore the ledger from a backup")


class _Known:
    """What the laws ask, looked up at once inside the writing transaction."""

    def __init__(self, tables: WritingTables, records: Sequence[Record]) -> None:
        asked = {need.id for record in records for need in references(record)}
        asked.update(record.id for record in records if not isinstance(record, Closing))
        self._names: dict[str, str] = {}
        self._closed: set[str] = set()
        for record_id, name in tables.known(asked):
            if name == "closing":
                self._closed.add(record_id)
            else:
                self._names[record_id] = name

    def name_of(self, record_id: str) -> str | None:
        return self._names.get(record_id)

    def is_closed(self, action: str) -> bool:
        return action in self._closed


def _id_of(record: Record) -> str:
    return record.action if isinstance(record, Closing) else record.id


def _bytes(stored: Any) -> bytes:
    """A body as bytes, whatever somebody who changed it by hand has put there."""
    if type(stored) is bytes:
        return stored
    return bytes(stored) if isinstance(stored, memoryview) else str(stored).encode()


def _given_before(tables: Tables, key: str, digest: str) -> int | None:
    """The number that an append under this key was given, None where there was none."""
    found = tables.execute("SELECT digest, seq FROM append_key WHERE key = ?", (key,)).fetchone()
    if found is None:
        return None
    if found[0] != digest:
        raise UsageError(f"idempotency key {key!r} was used for other records: give each append its own")
    return int(found[1])
