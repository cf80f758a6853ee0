"""Online features in one SQLite file: the newest value as of a moment is one step in an index."""

import json
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from trimtab.adapters.durable_file import writing_ended
from trimtab.adapters.sqlite_file import (
    ReadingConnections,
    connect,
    integrity_faults,
    is_failed_flush,
    said,
    transaction,
    use_write_ahead_log,
)
from trimtab.atoms.error import Damaged, StoreError, WritingEnded
from trimtab.ports.online_features import FeatureValue

#: Raised with every change of the tables. 2: a value carries a sum of itself; those of 1 are read without.
VERSION = 2

_AS_OF = "SELECT us, body FROM value WHERE view = ? AND entity = ? AND us <= ? ORDER BY us DESC LIMIT 1"
_FORGET = """
DELETE FROM value WHERE view = ?1 AND us < ?2
AND us < (SELECT max(newest.us) FROM value newest WHERE newest.view = ?1 AND newest.entity = value.entity)
"""
#: As bytes: what a disk has changed may be no text.
_EVERY = """
SELECT CAST(view.name AS BLOB), CAST(entity AS BLOB), us, CAST(body AS BLOB)
FROM value LEFT JOIN view ON view.id = value.view
"""
_UNSURE = """
SELECT CAST(name AS BLOB) FROM view WHERE newest_us IS NOT (SELECT max(us) FROM value WHERE value.view = view.id)
"""
#: Hex digits of the sum behind a value's JSON; the JSON ends in a bracket, the sum never does.
_SUM_DIGITS = 8


class SqliteOnlineFeatures:
    """Contract of the port; nothing is cached but the number of a view, which never changes.

    Values are summed when they are put and proved when they are read. After a failed flush this process puts no more.
    """

    def __init__(self, path: Path) -> None:
        """Open the file `path`, made where there is none.

        Raises:
            StoreError: The file holds something else, was written by a newer Trimtab, or cannot be written.
        """
        self._path = path
        self._lock = threading.Lock()
        self._views: dict[str, int] = {}
        self._failed: WritingEnded | None = None
        self._writing: sqlite3.Connection | None = connect(path)
        try:
            _prepare(self._writing, path)
        except sqlite3.Error as error:
            self._writing.close()
            raise said(path, error) from error
        except StoreError:
            self._writing.close()
            raise
        self._reading = ReadingConnections(path)

    def put(self, view: str, rows: Iterable[FeatureValue]) -> int:
        """See the port; ValueError for NaN or an infinite number, which JSON has no word for."""
        values = [
            (row.entity, row.event_time_us, _summed(view, row.entity, row.event_time_us, row.values))
            for row in rows
        ]
        newest = max((us for _, us, _ in values), default=None)
        if newest is None:
            return 0
        with self._write() as connection:
            connection.execute(
                "INSERT INTO view (name, newest_us) VALUES (?1, ?2) "
                "ON CONFLICT (name) DO UPDATE SET newest_us = max(newest_us, ?2)",
                (view, newest),
            )
            (number,) = connection.execute("SELECT id FROM view WHERE name = ?", (view,)).fetchone()
            connection.executemany(
                "INSERT OR REPLACE INTO value VALUES (?, ?, ?, ?)", [(number, *value) for value in values]
            )
        return len(values)

    def as_of(self, view: str, wanted: Sequence[tuple[str, int]]) -> list[FeatureValue | None]:
        """See the port; `Damaged` where a value is not what was put."""
        with self._reading.lend() as connection:
            number = self._number(connection, view)
            if number is None:
                return [None] * len(wanted)
            rows = [connection.execute(_AS_OF, (number, entity, us)).fetchone() for entity, us in wanted]
        return [
            None
            if row is None
            else FeatureValue(
                entity=entity, event_time_us=row[0], values=self._proven(view, entity, row[0], row[1])
            )
            for (entity, _), row in zip(wanted, rows, strict=True)
        ]

    def newest(self, view: str) -> int | None:
        """See the port."""
        with self._reading.lend() as connection:
            row = connection.execute("SELECT newest_us FROM view WHERE name = ?", (view,)).fetchone()
        return row[0] if row else None

    def forget(self, view: str, before_us: int) -> int:
        """See the port."""
        with self._write() as connection:
            number = self._number(connection, view)
            return connection.execute(_FORGET, (number, before_us)).rowcount

    def own_faults(self) -> list[str]:
        """See `SelfExamining`; proves every value."""
        found = integrity_faults(self._path)
        if found:
            return found
        with self._reading.lend() as connection:
            for view, entity, us, body in connection.execute(_EVERY):
                try:
                    self._proven(_text(view), _text(entity), us, _text(body))
                except Damaged as damage:
                    found.append(str(damage))
            found += [
                f"{self._path}: view {_text(view)!r} does not know its newest value: restore the file from a backup"
                for (view,) in connection.execute(_UNSURE)
            ]
        return found

    def close(self) -> None:
        """See the port; a second call does nothing."""
        self._reading.close()
        with self._lock:
            if self._writing is not None:
                self._writing.close()
                self._writing = None

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """The writing connection, in a transaction that is durable when the block has ended."""
        with self._lock:
            if self._writing is None:
                raise StoreError(f"{self._path} has been closed by this process")
            if self._failed:
                raise self._failed
            try:
                with transaction(self._writing):
                    yield self._writing
                # By hand, as SQLite tells nobody when a flush of its own move of the log fails.
                self._writing.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            except sqlite3.Error as error:
                if is_failed_flush(error):
                    self._failed = writing_ended(self._path, error)
                raise (self._failed or said(self._path, error)) from error

    def _proven(self, view: str, entity: str, us: int, body: Any) -> tuple[Any, ...]:
        try:
            text = str(body) if str(body).endswith("]") else str(body)[:-_SUM_DIGITS]
            if len(text) < len(body) and _sum(view, entity, us, text) != body[len(text) :]:
                raise ValueError("another sum")
            return tuple(msgspec.json.decode(text))
        except (ValueError, TypeError) as error:
            raise Damaged(
                f"{self._path}: the value of view {view!r} for {entity!r} is damaged: restore the file from a backup"
            ) from error

    def _number(self, connection: sqlite3.Connection, view: str) -> int | None:
        if view not in self._views:
            row = connection.execute("SELECT id FROM view WHERE name = ?", (view,)).fetchone()
            if row is None:
                return None
            self._views[view] = row[0]
        return self._views[view]


def _text(stored: Any) -> str:
    return stored.decode(errors="replace") if isinstance(stored, bytes) else str(stored)


def _summed(view: str, entity: str, us: int, values: Sequence[Any]) -> str:
    text = json.dumps(values, allow_nan=False)
    return text + _sum(view, entity, us, text)


def _sum(view: str, entity: str, us: int, text: str) -> str:
    """CRC-32 of a value and of where it belongs: a row that strayed is noticed too."""
    place = "\0".join((view, entity, str(us), text))
    return f"{zlib.crc32(place.encode(errors='replace')):08x}"


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and not {"view", "value"} <= tables:
        raise StoreError(f"{path} is a database of something else than Trimtab: name another store")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise StoreError(
            f"{path} was written by a newer Trimtab (version {version}, this program knows {VERSION}): "
            "upgrade with `pip install --upgrade trimtab`"
        )
    connection.execute("PRAGMA wal_autocheckpoint=0")
    if tables:
        if version < VERSION:
            with transaction(connection):
                connection.execute(f"PRAGMA user_version={VERSION}")
        return
    use_write_ahead_log(connection)
    with transaction(connection):
        connection.execute(
            "CREATE TABLE IF NOT EXISTS view "
            "(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, newest_us INTEGER NOT NULL)"
        )
        connection.execute(
            "CREATE TABLE IF NOT EXISTS value (view INTEGER NOT NULL, entity TEXT NOT NULL, "
            "us INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (view, entity, us)) WITHOUT ROWID"
        )
        connection.execute(f"PRAGMA user_version={VERSION}")
