"""A copy of the ledger's file as it was before a migration, proved equal before anything is changed."""

import hashlib
import os
import sqlite3
from pathlib import Path

from trimtab.adapters.durable_file import flush_folder
from trimtab.adapters.sqlite_file import connect, said
from trimtab.atoms.error import StoreError


def copy_path(path: Path, version: int) -> Path:
    """Where the copy from before the migration to `version` lies: `ledger.sqlite.before-2`."""
    return path.with_name(f"{path.name}.before-{version}")


def keep_copy(held: sqlite3.Connection, path: Path, version: int) -> None:
    """Leave a copy beside the file, flushed, under a name of its own; nothing for a ledger without entries.

    Args:
        held: A connection that holds the right to write and has written nothing, so that nobody else can.
        path: The ledger's file.
        version: What it is about to become.

    Raises:
        StoreError: No copy could be made, or it is not equal; the ledger was not changed.
    """
    if held.execute("SELECT 1 FROM entry LIMIT 1").fetchone() is None:
        return
    kept = copy_path(path, version)
    draft = kept.with_name(f"{kept.name}.part")
    draft.unlink(missing_ok=True)
    # Made here and not by SQLite, so that nobody else may read it for a moment either.
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, path.stat().st_mode & 0o777))
    try:
        _copy(path, draft)
        if _rows_digest(held) != _digest_in(draft):
            raise StoreError(f"the copy of {path} is not equal to it; nothing was migrated: check the disk")
        os.replace(draft, kept)
    except sqlite3.Error as error:
        raise StoreError(
            f"{path} must be migrated, and no copy of it can be made first ({said(draft, error)}); "
            "nothing was migrated"
        ) from error
    finally:
        draft.unlink(missing_ok=True)
    flush_folder(path.parent)


def _copy(path: Path, draft: Path) -> None:
    reading, writing = connect(path), connect(draft)
    try:
        reading.backup(writing)
        # One file that is whole by itself, without a log beside it.
        writing.execute("PRAGMA journal_mode=DELETE")
    finally:
        reading.close()
        writing.close()
    descriptor = os.open(draft, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest_in(draft: Path) -> str:
    connection = connect(draft)
    try:
        (whole,) = connection.execute("PRAGMA integrity_check").fetchone()
        return _rows_digest(connection) if whole == "ok" else str(whole)
    finally:
        connection.close()


def _rows_digest(connection: sqlite3.Connection) -> str:
    """One digest over every entry, every lease and every number."""
    digest = hashlib.sha256()
    for table, order in (("meta", "name"), ("entry", "seq"), ("lease", "name")):
        for row in connection.execute(f"SELECT * FROM {table} ORDER BY {order}"):
            digest.update(repr(row).encode())
    return digest.hexdigest()
