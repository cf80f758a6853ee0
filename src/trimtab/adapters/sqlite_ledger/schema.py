"""The ledger's tables, and the refusal of a file that is not ours or is newer than we are."""

import sqlite3
from pathlib import Path

from trimtab.adapters.sqlite_file import connect, said, transaction, use_write_ahead_log
from trimtab.atoms.error import StoreError

#: Raised with every change of the tables; a program refuses a higher one than its own.
VERSION = 1

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY, name TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL, chain TEXT NOT NULL
);
CREATE UNIQUE INDEX entry_by_id ON entry (id) WHERE name <> 'closing';
CREATE UNIQUE INDEX closing_by_action ON entry (id) WHERE name = 'closing';
CREATE TABLE lease (
    name TEXT PRIMARY KEY, token INTEGER NOT NULL, holder TEXT NOT NULL, until REAL NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER entry_never_changes BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entry_never_goes BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""


def open_ledger_file(path: Path) -> sqlite3.Connection:
    """Open a ledger's file, with its tables made where the file is new.

    Raises:
        StoreError: The file holds something else, or was written by a newer Trimtab; it is left as it was.
    """
    connection = connect(path)
    try:
        tables = _tables(connection)
        if not tables:
            use_write_ahead_log(connection)
            with transaction(connection):
                if not _tables(connection):
                    _make(connection)
        elif not {"meta", "entry", "lease"} <= tables:
            raise StoreError(f"{path} is a database of something else than Trimtab: name another store")
        found = connection.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
        if found is None or not isinstance(found[0], int):
            raise StoreError(
                f"{path} does not say which version of the ledger it is: restore it from a backup"
            )
        if found[0] > VERSION:
            raise StoreError(
                f"{path} was written by a newer Trimtab (ledger version {found[0]}, "
                f"this program knows {VERSION}): upgrade with `pip install --upgrade trimtab`"
            )
    except sqlite3.Error as error:
        connection.close()
        raise said(path, error) from error
    except StoreError:
        connection.close()
        raise
    return connection


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _make(connection: sqlite3.Connection) -> None:
    statement = ""
    for line in _TABLES.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
    connection.execute("INSERT INTO meta VALUES ('version', ?), ('last_token', 0)", (VERSION,))
