"""Taking in files: the last one told of under a path holds, unless it was taken away after that."""

import sqlite3

from trimtab.atoms.run import LoggedFile
from trimtab.atoms.run_event import RunEvent

_PUT = """
INSERT INTO file VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (owner, path) DO UPDATE
SET logged_us = excluded.logged_us, at_us = excluded.at_us, size_bytes = excluded.size_bytes, blobs = excluded.blobs
WHERE (excluded.logged_us, excluded.at_us, excluded.size_bytes, excluded.blobs) > (logged_us, at_us, size_bytes, blobs)
"""
_REMEMBER = """
INSERT INTO removal VALUES (?, ?, ?) ON CONFLICT (owner, path) DO UPDATE
SET logged_us = max(logged_us, excluded.logged_us)
"""
#: What was told of before; `0` comes after `/`.
_REMOVE = """
DELETE FROM file WHERE owner = ?1 AND logged_us < ?3 AND (path = ?2 OR path >= ?2 || '/' AND path < ?2 || '0')
"""


def take_files(connection: sqlite3.Connection, owner: int, event: RunEvent) -> None:
    """Take in the files and removals of an event; of one moment, a file outlives its removal."""
    gone = [(owner, path, event.at_us) for path in event.removed]
    connection.executemany(_REMEMBER, gone)
    connection.executemany(_REMOVE, gone)
    removals = dict(connection.execute("SELECT path, logged_us FROM removal WHERE owner = ?", (owner,)))
    rows = [
        (owner, each.path, event.at_us, each.at_us, each.size_bytes, "\n".join(each.blobs).encode())
        for each in event.files
        if not _is_gone(each, event.at_us, removals)
    ]
    connection.executemany(_PUT, rows)


def _is_gone(file: LoggedFile, logged_us: int, removals: dict[str, int]) -> bool:
    """Whether the file, or a folder that it is in, was taken away after it was told of."""
    if not removals:
        return False
    parts = file.path.split("/")
    above = ("/".join(parts[: count + 1]) for count in range(len(parts)))
    return any(removals.get(path, logged_us) > logged_us for path in above)
