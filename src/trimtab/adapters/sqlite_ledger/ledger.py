"""The ledger port on one SQLite file."""

import time
from collections.abc import Callable
from pathlib import Path

from trimtab.adapters.sql_ledger.ledger import SqlLedger
from trimtab.adapters.sqlite_file import integrity_faults
from trimtab.adapters.sqlite_ledger.database import SqliteDatabase


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
        """See `SelfExamining`."""
        return integrity_faults(self._path)
