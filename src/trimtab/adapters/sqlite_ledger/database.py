"""The ledger's tables in an SQLite file: one connection that writes, others that read."""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from trimtab.adapters.durable_file import writing_ended
from trimtab.adapters.process_holder import is_dead
from trimtab.adapters.sql_ledger.table import ENDS, Answer, Row, Tables, WritingTables
from trimtab.adapters.sql_ledger.writer import Writer
from trimtab.adapters.sqlite_file import ReadingConnections, is_failed_flush, said, transaction
from trimtab.adapters.sqlite_ledger.schema import open_ledger_file
from trimtab.atoms.error import StoreError, WritingEnded

#: Pages, by estimate, after which the write-ahead log is moved into the file.
LOG_PAGES = 1000
_PAGE_BYTES = 4096


class SqliteDatabase:
    """See `Database`."""

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        """Open the file; see `SqliteLedger`."""
        self._path = path
        self._connection = open_ledger_file(path)
        # SQLite tells nobody when the flush of its own move fails, and goes on; ours is heard.
        self._connection.execute("PRAGMA wal_autocheckpoint=0")
        self._tables = _WritingTables(self._connection, wall)
        self._failed: WritingEnded | None = None
        self._reading = ReadingConnections(path)
        self._writer = Writer(self.shown, self._transact, self._connection.close)

    @property
    def shown(self) -> str:
        """The file's path."""
        return str(self._path)

    def write(self, job: Callable[[WritingTables], Answer], *, durable: bool = True) -> Answer:
        """See `Database`."""
        return self._writer.do(job, durable=durable)

    def read(self, query: Callable[[Tables], Answer]) -> Answer:
        """See `Database`; text that a hand has put there and that is no UTF-8 is read with a mark in its place."""
        try:
            with self._reading.lend() as connection:
                return query(connection)
        except StoreError as error:
            if "Could not decode" not in str(error):
                raise
        with self._reading.lend() as connection:
            connection.text_factory = _marked
            try:
                return query(connection)
            finally:
                connection.text_factory = str

    def close(self) -> None:
        """See `Database`."""
        self._reading.close()
        self._writer.close()

    def _transact(self, run: Callable[[WritingTables], None], flushed: bool) -> None:
        if self._failed:
            raise self._failed
        try:
            self._connection.execute(f"PRAGMA synchronous={'FULL' if flushed else 'NORMAL'}")
            with transaction(self._connection):
                run(self._tables)
        except sqlite3.Error as error:
            self._hear(error)
            raise (self._failed or said(self._path, error)) from error
        self._move_log()

    def _move_log(self) -> None:
        """Move a long write-ahead log into the file; what was committed is durable whether or not that goes well."""
        if self._tables.log_pages < LOG_PAGES:
            return
        self._tables.log_pages = 0
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            self._hear(error)  # of any other error: the log stays, and is moved another time

    def _hear(self, error: sqlite3.Error) -> None:
        """After a failed flush nobody knows what is on the disk: nothing is written any more."""
        if is_failed_flush(error):
            self._failed = writing_ended(self._path, error)


def _marked(text: bytes) -> str:
    return text.decode(errors="replace")


class _WritingTables:
    """See `WritingTables`."""

    def __init__(self, connection: sqlite3.Connection, wall: Callable[[], float]) -> None:
        self.execute = connection.execute
        self.now = wall
        self._connection = connection
        #: Pages that came to the write-ahead log since it was moved, by estimate: some for each commit and each row.
        self.log_pages = 0

    def ends(self) -> Any:
        return self.execute(ENDS).fetchone()

    def known(self, ids: Collection[str]) -> Iterator[tuple[str, str]]:
        # One at a time: each is a step in a partial index, and nothing is sent anywhere.
        for record_id in ids:
            yield from self.execute(
                "SELECT id, name FROM entry WHERE id = ? AND name <> 'closing'", (record_id,)
            )
            yield from self.execute(
                "SELECT id, name FROM entry WHERE id = ? AND name = 'closing'", (record_id,)
            )

    def add(self, rows: Sequence[Row]) -> None:
        self.log_pages += 2 + sum(2 + len(row[3]) // _PAGE_BYTES for row in rows)
        self._connection.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", rows)
        self.execute("UPDATE head SET seq = ?, chain = ?", (rows[-1][0], rows[-1][4]))

    def is_dead(self, holder: str) -> bool:
        return is_dead(holder)
