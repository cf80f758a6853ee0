"""The index's file: opened, begun anew where it is damaged or another version's, and followed when it is replaced."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from trimtab.adapters.file_lock import hold
from trimtab.adapters.sqlite_file import MOST_SECONDS, connect, said, transaction, use_write_ahead_log
from trimtab.adapters.sqlite_run_index.schema import VERSION, begin
from trimtab.atoms.error import StoreError

#: A file up to this size is read whole when it is opened; damage in a larger one is found where it is read.
CHECKED_BYTES = 32 << 20
#: Longest that one question may take.
ANSWER_SECONDS = 30.0
#: Steps of SQLite's between two looks at the clock.
_STEPS = 20_000
_CACHE_KIB = 16_000
#: What is left of a long write-ahead log after it was moved.
_LOG_BYTES = 64 << 20
_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_SAYING_DAMAGE = (sqlite3.Error, UnicodeDecodeError, StoreError)


class IndexFile:
    """One connection that writes, and as many that read as threads read at once.

    A process that finds damage removes the file; whoever has it open notices at the next call, and goes on with the
    new one.
    """

    def __init__(self, path: Path) -> None:
        """Open the file, made where there is none; StoreError where it cannot be written."""
        self._path = path
        self._lock = threading.Lock()
        self._writing_lock = threading.RLock()
        self._closed = False
        self._idle: list[tuple[int, sqlite3.Connection]] = []
        #: Raised when another file takes the place of this one, and when a write is undone: what was remembered of
        #: either is void.
        self.generation = 0
        self._writing, self._inode = _opened(path)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The writing connection in a transaction: committed at the end, undone where the block raises."""
        with self._writing_lock:
            self._follow()
            try:
                with self._damage_removed(), transaction(self._writing):
                    yield self._writing
            except BaseException:
                self.generation += 1
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the file until the block ends."""
        self._follow()
        with self._lock:
            generation, connection = self._idle.pop() if self._idle else (self.generation, None)
        with self._damage_removed():
            if connection is None:
                connection = _for_reading(self._path)
            try:
                deadline = time.monotonic() + ANSWER_SECONDS
                connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.set_progress_handler(None, 0)
                if connection.in_transaction:
                    connection.execute("COMMIT")
                with self._lock:
                    keep = not self._closed and generation == self.generation
                    if keep:
                        self._idle.append((generation, connection))
                if not keep:
                    connection.close()

    def close(self) -> None:
        """Release everything; a second call does nothing."""
        with self._writing_lock:
            with self._lock:
                closed, self._closed = self._closed, True
                idle, self._idle = self._idle, []
            for _, connection in idle:
                connection.close()
            if not closed:
                self._writing.close()

    def _follow(self) -> None:
        """Go on with the file that is there now."""
        if self._closed:
            raise StoreError(f"{self._path} has been closed by this process")
        if _inode(self._path) == self._inode:
            return
        with self._writing_lock:
            if _inode(self._path) == self._inode:
                return
            self._writing.close()
            self._writing, self._inode = _opened(self._path)
            with self._lock:
                self.generation += 1
                idle, self._idle = self._idle, []
            for _, connection in idle:
                connection.close()

    @contextmanager
    def _damage_removed(self) -> Iterator[None]:
        inode = self._inode
        try:
            yield
        except (*_SAYING_DAMAGE, msgspec.MsgspecError) as error:
            if not _is_damage(error):
                raise _said(self._path, error) from error
            with _only_one(self._path):
                if _inode(self._path) == inode:
                    _remove(self._path)
            raise StoreError(
                f"{self._path} was damaged ({error}) and is made again from the ledger: try again"
            ) from error


def discard_run_index(path: Path) -> None:
    """Remove the file, whoever has it open: all go on with a new one. Nothing is lost that is not said elsewhere."""
    with _only_one(path):
        _remove(path)


def _opened(path: Path) -> tuple[sqlite3.Connection, tuple[int, int] | None]:
    """A sound file's writing connection, and which file it is."""
    with _only_one(path):
        if not _is_sound(path):
            _remove(path)
        connection = connect(path)
        try:
            if _version(connection) is None:
                use_write_ahead_log(connection)
                begin(connection)
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
            connection.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
        except sqlite3.Error as error:
            connection.close()
            raise said(path, error) from error
        return connection, _inode(path)


def _is_sound(path: Path) -> bool:
    """Whether the file is a whole one of this version; a new or empty one is."""
    if not path.exists():
        return True
    try:
        with closing(connect(path)) as connection:
            if _version(connection) not in (None, VERSION):
                return False
            if path.stat().st_size > CHECKED_BYTES:
                return True
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except _SAYING_DAMAGE as error:
        if _is_damage(error):
            return False
        raise _said(path, error) from error


def _version(connection: sqlite3.Connection) -> int | None:
    """None: nothing is in the file; -1: something else is."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if "meta" not in tables:
        return -1
    rows = connection.execute("SELECT * FROM meta").fetchall()
    return int(rows[0][1]) if len(rows) == 1 and isinstance(rows[0][1], int) else -1


def _for_reading(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    connection.execute("PRAGMA query_only=ON")
    connection.execute("PRAGMA case_sensitive_like=ON")
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.create_function("folded", 1, _folded, deterministic=True)
    return connection


def _folded(text: str | None) -> str | None:
    return text if text is None else text.lower()


def _is_damage(error: BaseException) -> bool:
    if isinstance(error, StoreError):
        # Of this file; a StoreError over anything else is about what was given.
        return isinstance(error.__cause__, sqlite3.Error) and _is_damage(error.__cause__)
    if not isinstance(error, sqlite3.Error):
        return isinstance(error, UnicodeDecodeError | msgspec.MsgspecError)
    name = getattr(error, "sqlite_errorname", "")
    return name.startswith(_DAMAGE) or (name == "SQLITE_ERROR" and "no such table" in str(error))


def _said(path: Path, error: Exception) -> StoreError:
    if isinstance(error, StoreError):
        return error
    assert isinstance(error, sqlite3.Error)
    if getattr(error, "sqlite_errorname", "") == "SQLITE_INTERRUPT":
        return StoreError(
            f"{path}: a question took over {ANSWER_SECONDS:g} s and was given up: ask for less at once"
        )
    return said(path, error)


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Nobody else opens or removes the file meanwhile."""
    deadline = time.monotonic() + MOST_SECONDS
    while True:
        with hold(path.with_name(f"{path.name}.lock")) as held:
            if held:
                yield
                return
        if time.monotonic() > deadline:
            raise StoreError(f"{path} has been held by another process for {MOST_SECONDS:.0f} s: end it")
        time.sleep(0.005)
