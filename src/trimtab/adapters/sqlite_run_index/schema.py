"""Tables of the run index. Things are rows, found by what is asked about them; each one's card says it whole."""

import sqlite3
from enum import IntEnum

import msgspec

from trimtab.adapters.sqlite_file import transaction
from trimtab.adapters.sqlite_run_index.card import Card, encode_head
from trimtab.atoms.run import DEFAULT_EXPERIMENT, Experiment
from trimtab.ports.run_index import Position

#: Raised with every change of the tables or of what they mean: a file of another number is begun anew.
VERSION = 1


class Kind(IntEnum):
    """What has a number in `owner`."""

    RUN = 1
    MODEL = 2
    EXPERIMENT = 3


#: What is there before anything was taken in.
DEFAULT = Experiment(id=DEFAULT_EXPERIMENT, name="Default", created_ms=0, updated_ms=0)

# `name` holds keys of metrics, parameters and tags; everything else says their number. A metric's `value` is NULL
# where it is NaN, which SQLite does not know. `meta.packs` counts the packs of points,
# see point_row; `logged_us` is the moment of the event.
_TABLES = (
    """
    CREATE TABLE meta (
        one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, entry INTEGER NOT NULL, cursor BLOB NOT NULL,
        packs INTEGER NOT NULL DEFAULT 0
    )
    """,
    "CREATE TABLE name (n INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
    "CREATE TABLE owner (n INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id TEXT NOT NULL, UNIQUE (id, kind))",
    """
    CREATE TABLE card (
        owner INTEGER PRIMARY KEY, head BLOB NOT NULL, logged BLOB NOT NULL, metrics BLOB NOT NULL, stamps BLOB NOT NULL
    )
    """,
    """
    CREATE TABLE experiment (
        n INTEGER PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL, deleted INTEGER NOT NULL,
        created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL
    )
    """,
    "CREATE INDEX experiment_by_name ON experiment (name)",
    """
    CREATE TABLE run (
        n INTEGER PRIMARY KEY, id TEXT NOT NULL, experiment TEXT NOT NULL, deleted INTEGER NOT NULL,
        status TEXT NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER, decided_by TEXT NOT NULL,
        stage TEXT NOT NULL
    )
    """,
    "CREATE INDEX run_by_start ON run (started_ms DESC, id)",
    """
    CREATE TABLE model (
        n INTEGER PRIMARY KEY, id TEXT NOT NULL, experiment TEXT NOT NULL, deleted INTEGER NOT NULL,
        status TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, run TEXT NOT NULL,
        created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL
    )
    """,
    "CREATE TABLE parameter (name INTEGER, owner INTEGER, value TEXT, PRIMARY KEY (name, owner)) WITHOUT ROWID",
    "CREATE TABLE tag (name INTEGER, owner INTEGER, value TEXT, PRIMARY KEY (name, owner)) WITHOUT ROWID",
    "CREATE TABLE last_value (name INTEGER, owner INTEGER, value REAL, PRIMARY KEY (name, owner)) WITHOUT ROWID",
    """
    CREATE TABLE model_value (
        name INTEGER, owner INTEGER, run TEXT, dataset TEXT, digest TEXT, value REAL, at_us INTEGER, step INTEGER,
        PRIMARY KEY (name, owner, run, dataset, digest)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE dataset (
        owner INTEGER, name TEXT, digest TEXT, context TEXT, PRIMARY KEY (owner, name, digest)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE file (
        owner INTEGER, path TEXT, logged_us INTEGER, at_us INTEGER, size_bytes INTEGER, blobs BLOB,
        PRIMARY KEY (owner, path)
    ) WITHOUT ROWID
    """,
    "CREATE TABLE removal (owner INTEGER, path TEXT, logged_us INTEGER, PRIMARY KEY (owner, path)) WITHOUT ROWID",
    """
    CREATE TABLE points (
        owner INTEGER, name INTEGER, pack_number INTEGER, pack BLOB, PRIMARY KEY (owner, name, pack_number)
    ) WITHOUT ROWID
    """,
)


def begin(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty file."""
    with transaction(connection):
        for table in _TABLES:
            connection.execute(table)
        default = DEFAULT
        connection.execute("INSERT INTO owner VALUES (1, ?, ?)", (Kind.EXPERIMENT, default.id))
        connection.execute("INSERT INTO experiment VALUES (1, ?, ?, 0, 0, 0)", (default.id, default.name))
        connection.execute("INSERT INTO card VALUES (1, ?, ?, ?, ?)", Card(encode_head(default)).stored())
        start = Position()
        connection.execute(
            "INSERT INTO meta VALUES (1, ?, ?, ?, 0)",
            (VERSION, start.entry, msgspec.json.encode(start.cursor)),
        )
