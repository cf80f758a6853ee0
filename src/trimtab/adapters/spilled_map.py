"""A map that may outgrow memory: its newest entries are held, the others lie in an unnamed file of SQLite's."""

import sqlite3
import weakref
from typing import Any

import msgspec

#: Entries that are held in memory.
MOST_HELD = 50_000
_CACHE_KIB = 4096


class SpilledMap:
    """Text to any plain value. Nothing of it outlives the process; one thread uses it at a time."""

    def __init__(self, most_held: int = MOST_HELD) -> None:
        self._held: dict[str, Any] = {}
        self._most = most_held
        self._spilled: sqlite3.Connection | None = None

    def get(self, key: str) -> Any:
        """The value under `key`, or None."""
        value = self._held.get(key)
        if value is not None or self._spilled is None:
            return value
        row = self._spilled.execute("select value from entry where key = ?", (key,)).fetchone()
        return None if row is None else msgspec.msgpack.decode(row[0])

    def __setitem__(self, key: str, value: Any) -> None:
        self._held[key] = value
        if len(self._held) > self._most:
            self._spill()

    def _spill(self) -> None:
        if self._spilled is None:
            # An empty name is SQLite's word for a file without one, which goes with its connection.
            self._spilled = sqlite3.connect("", isolation_level=None, check_same_thread=False)
            weakref.finalize(self, self._spilled.close)
            self._spilled.execute("pragma journal_mode = off")
            self._spilled.execute(f"pragma cache_size = -{_CACHE_KIB}")
            self._spilled.execute("create table entry (key text primary key, value blob) without rowid")
        rows = [(key, msgspec.msgpack.encode(self._held[key])) for key in sorted(self._held)]
        self._spilled.execute("begin")
        self._spilled.executemany("insert or replace into entry values (?, ?)", rows)
        self._spilled.execute("commit")
        self._held.clear()
