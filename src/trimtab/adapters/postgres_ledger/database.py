"""The ledger's tables in PostgreSQL: one connection that writes, a few that read, and a server that may restart."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg

from trimtab.adapters.postgres_ledger.connection import (
    MOST_SECONDS_TO_OPEN,
    Patience,
    connect,
    refuse_forgetful,
)
from trimtab.adapters.postgres_ledger.said import is_lost, is_nowhere, said
from trimtab.adapters.postgres_ledger.schema import prepare
from trimtab.adapters.postgres_ledger.table import PostgresTables, PostgresWritingTables
from trimtab.adapters.postgres_ledger.url import PostgresUrl
from trimtab.adapters.sql_ledger.table import Answer, Tables, WritingTables
from trimtab.adapters.sql_ledger.writer import Writer
from trimtab.atoms.error import StoreError

#: Threads of one process that read at once; more wait for their turn.
MOST_READERS = 8

Connection = psycopg.Connection[Any]


class PostgresDatabase:
    """See `Database`."""

    def __init__(self, url: PostgresUrl, wall: Callable[[], float] | None) -> None:
        """Open it; see `PostgresLedger`."""
        self._url = url
        self._wall = wall
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(MOST_READERS)
        self._closed = False
        self._writing: Connection | None = self._open()
        self._writer = Writer(self.shown, self._transact, self._drop_writing)

    @property
    def shown(self) -> str:
        """The URL without its password."""
        return self._url.shown

    def write(self, job: Callable[[WritingTables], Answer], *, durable: bool = True) -> Answer:
        """See `Database`."""
        return self._writer.do(job, durable=durable)

    def read(self, query: Callable[[Tables], Answer]) -> Answer:
        """See `Database`; asks again where the connection was lost."""
        patience = Patience(self.shown)
        with self._turns:
            while True:
                connection: Connection | None = None
                try:
                    connection = self._idle_reader() or connect(self._url)
                    answer = query(PostgresTables(connection))
                except psycopg.Error as error:
                    self._discard(connection)
                    if not is_lost(error):
                        raise said(self.shown, error) from error
                    self._drop_idle()
                    patience.wait(error)
                except BaseException:
                    self._discard(connection)
                    raise
                else:
                    self._keep(connection)
                    return answer

    def close(self) -> None:
        """See `Database`."""
        with self._lock:
            self._closed = True
        self._drop_idle()
        self._writer.close()

    def _open(self) -> Connection:
        """The first connection, with the server found fit and the tables in place."""
        patience = Patience(self.shown, MOST_SECONDS_TO_OPEN)
        while True:
            connection: Connection | None = None
            try:
                connection = connect(self._url)
                refuse_forgetful(connection, self.shown)
                prepare(connection, PostgresTables(connection), self._url)
                return connection
            except psycopg.Error as error:
                self._discard(connection)
                if not is_lost(error) or is_nowhere(error):
                    raise said(self.shown, error) from error
                patience.wait(error)
            except BaseException:
                self._discard(connection)
                raise

    def _transact(self, run: Callable[[WritingTables], None], flushed: bool) -> None:
        """Commit what `run` writes exactly once, also where the answer to a commit was lost on the way."""
        patience = Patience(self.shown)
        #: Last entry of a transaction whose commit may or may not have happened.
        doubtful: tuple[int, str] | None = None
        while True:
            try:
                if self._writing is None:
                    self._writing = connect(self._url)
                # Waits for the lost transaction, should the server still be at it: then it is there or never will be.
                tables = PostgresWritingTables(self._writing, self._wall)
                if doubtful is not None and tables.holds(doubtful):
                    tables.execute("ROLLBACK")
                    return
                doubtful = None
                if not flushed:
                    tables.execute("SET LOCAL synchronous_commit = off")
                run(tables)
                tables.send()
                doubtful = tables.wrote
                if tables.execute("COMMIT").statusmessage != "COMMIT":
                    raise StoreError(f"{self.shown} did not commit; nothing was written: try again")
                return
            except psycopg.Error as error:
                self._drop_writing()
                if not is_lost(error):
                    raise said(self.shown, error) from error
                unknown = "; whether the last append was written is not known, its key or ids will tell"
                patience.wait(error, unknown if doubtful else "")
            except BaseException:
                self._drop_writing()
                raise

    def _drop_writing(self) -> None:
        self._discard(self._writing)
        self._writing = None

    def _drop_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _idle_reader(self) -> Connection | None:
        with self._lock:
            if self._closed:
                raise StoreError(f"{self.shown} has been closed by this process")
            return self._idle.pop() if self._idle else None

    def _keep(self, connection: Connection) -> None:
        with self._lock:
            keep = not self._closed
            if keep:
                self._idle.append(connection)
        if not keep:
            connection.close()

    @staticmethod
    def _discard(connection: Connection | None) -> None:
        if connection is not None:
            connection.close()
