"""The ledger's tables in SQLite, their migration, and the refusal of a file that is not ours or is a newer one."""

import sqlite3
from pathlib import Path

from trimtab.adapters.sql_ledger.migration import VERSION, Step, stated_version, take_step
from trimtab.adapters.sqlite_file import connect, said, transaction, use_write_ahead_log
from trimtab.adapters.sqlite_ledger.copy_before import keep_copy
from trimtab.atoms.entry import GENESIS
from trimtab.atoms.error import StoreError

#: What a file of any version has.
_ALWAYS = {"meta", "entry", "lease"}


STEPS = (
    Step(
        1,
        """
        CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID

        CREATE TABLE entry (
            seq INTEGER PRIMARY KEY, name TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, chain TEXT NOT NULL
        )

        CREATE UNIQUE INDEX entry_by_id ON entry (id) WHERE name <> 'closing'

        CREATE UNIQUE INDEX closing_by_action ON entry (id) WHERE name = 'closing'

        CREATE TABLE lease (
            name TEXT PRIMARY KEY, token INTEGER NOT NULL, holder TEXT NOT NULL, until REAL NOT NULL
        ) WITHOUT ROWID

        CREATE TRIGGER entry_never_changes BEFORE UPDATE ON entry
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END

        CREATE TRIGGER entry_never_goes BEFORE DELETE ON entry
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END

        INSERT INTO meta VALUES ('version', 1), ('last_token', 0)
        """,
    ),
    Step(
        2,
        f"""
        CREATE TABLE append_key (key TEXT PRIMARY KEY, digest TEXT NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID

        CREATE TRIGGER append_key_never_changes BEFORE UPDATE ON append_key
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END

        CREATE TRIGGER append_key_never_goes BEFORE DELETE ON append_key
        BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END

        CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, chain TEXT NOT NULL)

        INSERT INTO head SELECT 1, coalesce((SELECT max(seq) FROM entry), 0),
            coalesce((SELECT chain FROM entry ORDER BY seq DESC LIMIT 1), '{GENESIS}')
        """,
    ),
)


def open_ledger_file(path: Path) -> sqlite3.Connection:
    """Open a ledger's file with the tables of this program's version: made or migrated where they are not there.

    Raises:
        StoreError: The file holds something else, or was written by a newer Trimtab; it is left as it was.
    """
    connection = connect(path)
    try:
        if not _version(connection, path):
            use_write_ahead_log(connection)
        _migrate(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise said(path, error) from error
    except StoreError:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Take the steps that are missing; who comes second waits for the first and finds nothing left to do."""
    copied = False
    while _version(connection, path) < VERSION:
        with transaction(connection):
            version = _version(connection, path)
            if version == VERSION:
                return
            if version and not copied:
                keep_copy(connection, path, version + 1)
                copied = True
            take_step(connection, STEPS, version)


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the tables that are there; 0 for an empty file."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return 0
    if _ALWAYS - tables:
        raise StoreError(f"{path} is a database of something else than Trimtab: name another store")
    return stated_version(connection, str(path))
