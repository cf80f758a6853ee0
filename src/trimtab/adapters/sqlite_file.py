"""Opening SQLite files so that nobody ever sees `database is locked`."""

import random
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from trimtab.atoms.error import Damaged, StoreError

#: Longest wait for another process's write before giving up: it hangs, or the disk does.
MOST_SECONDS = 60.0


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit, usable from any one thread at a time, durable on commit.

    Raises:
        StoreError: There is no SQLite file there and none can be made.
    """
    try:
        connection = sqlite3.connect(
            path, timeout=MOST_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous=FULL")
        if sys.platform == "darwin":
            connection.execute("PRAGMA fullfsync=ON")
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise said(path, error) from error
    return connection


def use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL, where readers and the writer do not wait for each other."""
    _patiently(connection, "PRAGMA journal_mode=WAL")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the right to write; commits at the end, and rolls back when the block raises."""
    _patiently(connection, "BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def said(path: Path, error: sqlite3.Error | UnicodeDecodeError) -> StoreError:
    """An error of SQLite, or its message that is no text, in words that say what to do."""
    if isinstance(error, UnicodeDecodeError):  # SQLite quotes what it stumbled over
        return Damaged(f"{path} is damaged ({error.reason} in its own text): restore it from a backup")
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL":
        return StoreError(f"the disk under {path} is full: nothing was written; make room and it goes on")
    if name == "SQLITE_NOTADB":
        return StoreError(f"{path} is not a Trimtab file: move it away, or name another store")
    if name.startswith("SQLITE_CORRUPT"):
        return Damaged(f"{path} is damaged ({error}): restore it from a backup")
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
        return StoreError(f"{path} cannot be opened for writing ({error}): check its owner and permissions")
    return StoreError(f"{path}: {error} ({name or type(error).__name__})")


def integrity_faults(path: Path) -> list[str]:
    """What SQLite itself finds wrong with the pages and indexes of a file; reads all of it, changes nothing."""
    try:
        with closing(connect(path)) as connection:
            said_by_sqlite = [row[0] for row in connection.execute("PRAGMA integrity_check(20)")]
    except sqlite3.Error as error:
        return [str(said(path, error))]
    if said_by_sqlite == ["ok"]:
        return []
    return [f"{path}: {' '.join(str(each).split())}: restore it from a backup" for each in said_by_sqlite]


def is_failed_flush(error: sqlite3.Error) -> bool:
    """Whether the disk refused to make a write durable; what is on it is then unknown."""
    return getattr(error, "sqlite_errorname", "") in ("SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC")


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    # SQLite's own waiting steps up to 100 ms; a write takes 1 to 2, so short uneven naps get the turn sooner.
    connection.execute("PRAGMA busy_timeout=0")
    deadline = time.monotonic() + MOST_SECONDS
    try:
        while True:
            try:
                connection.execute(statement)
                return
            except sqlite3.OperationalError as error:
                if not getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                    raise
                if time.monotonic() > deadline:
                    raise StoreError(
                        f"another process has held the store for {MOST_SECONDS:.0f} s: "
                        "find it with `lsof` and end it"
                    ) from error
            time.sleep(random.uniform(0.0002, 0.002))
    finally:
        connection.execute(f"PRAGMA busy_timeout={int(MOST_SECONDS * 1000)}")


class ReadingConnections:
    """As many connections for reading as threads read at once; each is lent for one query."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def lend(self) -> Iterator[sqlite3.Connection]:
        """A connection that is this thread's until the block ends."""
        if self._closed:
            raise StoreError(f"{self._path} has been closed by this process")
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = connect(self._path)
        try:
            yield connection
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise said(self._path, error) from error
        finally:
            with self._lock:
                keep = not self._closed
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    def close(self) -> None:
        """Close what is idle now, and what is lent when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
