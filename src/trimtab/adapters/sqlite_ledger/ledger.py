"""The ledger port on one SQLite file."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from trimtab.adapters.sql_ledger.ledger import SqlLedger
from trimtab.adapters.sqlite_file import connect, integrity_faults, said
from trimtab.adapters.sqlite_ledger.database import SqliteDatabase

_STRAYED = """
SELECT seq FROM entry WHERE CASE json_valid(CAST(body AS TEXT)) WHEN 0 THEN 0 ELSE
CAST(id AS BLOB) IS NOT CAST(
    json_extract(CAST(body AS TEXT), CASE name WHEN 'closing' THEN '$.action' ELSE '$.id' END) AS BLOB
) END
"""


class SqliteLedger(SqlLedger):
    """WAL, flushed at each commit, one writing thread with group commit for each of the processes."""

    def __init__(self, path: Path, *, wall: Callable[[], float] = time.time) -> None:
        """Open the ledger in the file `path`, made where there is none, migrated where it is an older one.

        Args:
            path: The file; its folder must be there. Before a migration a copy is left beside it.
            wall: Seconds since 1970 by which leases end.

        Raises:
            StoreError: The file is not a ledger, is a newer one, or cannot be written.
        """
        super().__init__(SqliteDatabase(path, wall))
        self._path = path

    def own_faults(self) -> list[str]:
        """See `SelfExamining`; also rows that cannot be found under the id that their record says."""
        with closing(connect(self._path)) as connection:
            try:
                strayed = connection.execute(_STRAYED).fetchall()
            except sqlite3.Error as error:
                return [str(said(self._path, error))]
        found = [
            f"{self._path}: entry {seq} cannot be found by its id: restore it from a backup"
            for (seq,) in strayed
        ]
        return found + integrity_faults(self._path)
