"""Online features in one SQLite file: the newest value as of a moment is one step in an index."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from trimtab.adapters.sqlite_file import (
    ReadingConnections,
    connect,
    integrity_faults,
    said,
    transaction,
    use_write_ahead_log,
)
from trimtab.atoms.error import StoreError
from trimtab.ports.online_features import FeatureValue

#: Raised with every change of the tables.
VERSION = 1

_AS_OF = "SELECT us, body FROM value WHERE view = ? AND entity = ? AND us <= ? ORDER BY us DESC LIMIT 1"
_FORGET = """
DELETE FROM value WHERE view = ?1 AND us < ?2
AND us < (SELECT max(newest.us) FROM value newest WHERE newest.view = ?1 AND newest.entity = value.entity)
"""


class SqliteOnlineFeatures:
    """Contract of the port; nothing is cached but the number of a view, which never changes."""

    def __init__(self, path: Path) -> None:
        """Open the file `path`, made where there is none.

        Raises:
            StoreError: The file holds something else, was written by a newer Trimtab, or cannot be written.
        """
        self._path = path
        self._lock = threading.Lock()
        self._views: dict[str, int] = {}
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
        values = [(row.entity, row.event_time_us, json.dumps(row.values, allow_nan=False)) for row in rows]
        newest = max((us for _, us, _ in values), default=None)
        if newest is None:
            return 0
        with self._lock:
            if self._writing is None:
                raise StoreError(f"{self._path} has been closed by this process")
            try:
                with transaction(self._writing):
                    self._writing.execute(
                        "INSERT INTO view (name, newest_us) VALUES (?1, ?2) "
                        "ON CONFLICT (name) DO UPDATE SET newest_us = max(newest_us, ?2)",
                        (view, newest),
                    )
                    (number,) = self._writing.execute(
                        "SELECT id FROM view WHERE name = ?", (view,)
                    ).fetchone()
                    self._writing.executemany(
                        "INSERT OR REPLACE INTO value VALUES (?, ?, ?, ?)",
                        [(number, *value) for value in values],
                    )
            except sqlite3.Error as error:
                raise said(self._path, error) from error
        return len(values)

    def as_of(self, view: str, wanted: Sequence[tuple[str, int]]) -> list[FeatureValue | None]:
        """See the port."""
        with self._reading.lend() as connection:
            number = self._number(connection, view)
            if number is None:
                return [None] * len(wanted)
            rows = [connection.execute(_AS_OF, (number, entity, us)).fetchone() for entity, us in wanted]
        return [
            None
            if row is None
            else FeatureValue(entity=entity, event_time_us=row[0], values=tuple(msgspec.json.decode(row[1])))
            for (entity, _), row in zip(wanted, rows, strict=True)
        ]

    def newest(self, view: str) -> int | None:
        """See the port."""
        with self._reading.lend() as connection:
            row = connection.execute("SELECT newest_us FROM view WHERE name = ?", (view,)).fetchone()
        return row[0] if row else None

    def forget(self, view: str, before_us: int) -> int:
        """See the port."""
        with self._lock:
            if self._writing is None:
                raise StoreError(f"{self._path} has been closed by this process")
            try:
                with transaction(self._writing):
                    number = self._number(self._writing, view)
                    return self._writing.execute(_FORGET, (number, before_us)).rowcount
            except sqlite3.Error as error:
                raise said(self._path, error) from error

    def own_faults(self) -> list[str]:
        """See `SelfExamining`."""
        return integrity_faults(self._path)

    def close(self) -> None:
        """See the port; a second call does nothing."""
        self._reading.close()
        with self._lock:
            if self._writing is not None:
                self._writing.close()
                self._writing = None

    def _number(self, connection: sqlite3.Connection, view: str) -> int | None:
        if view not in self._views:
            row = connection.execute("SELECT id FROM view WHERE name = ?", (view,)).fetchone()
            if row is None:
                return None
            self._views[view] = row[0]
        return self._views[view]


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
    if tables:
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
