"""How the tables of one version become those of the next: numbered steps, each in one transaction with its number.

A step that was cut off left nothing, so opening the ledger again goes on where it stopped.
"""

from collections.abc import Sequence
from typing import NamedTuple

from trimtab.adapters.sql_ledger.table import Tables
from trimtab.atoms.error import StoreError

#: Version of the tables that this program reads and writes, in either database; it refuses a higher one.
VERSION = 2


class Step(NamedTuple):
    """What leads to a version from the one before it."""

    version: int
    #: SQL statements, with an empty line between two.
    sql: str


def stated_version(tables: Tables, shown: str) -> int:
    """The version of tables that are there.

    Raises:
        StoreError: They do not say, or a newer program wrote them.
    """
    found = tables.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
    if found is None or not isinstance(found[0], int):
        raise StoreError(f"{shown} does not say which version of the ledger it is: restore it from a backup")
    if found[0] > VERSION:
        raise StoreError(
            f"{shown} was written by a newer Trimtab (ledger version {found[0]}, "
            f"this program knows {VERSION}): upgrade with `pip install --upgrade trimtab`"
        )
    return found[0]


def take_step(tables: Tables, steps: Sequence[Step], version: int) -> None:
    """Lead the tables from `version` (0: there are none) one further, inside the caller's transaction."""
    step = next(step for step in steps if step.version == version + 1)
    for statement in step.sql.split("\n\n"):
        tables.execute(statement)
    tables.execute("UPDATE meta SET value = ? WHERE name = 'version'", (step.version,))
