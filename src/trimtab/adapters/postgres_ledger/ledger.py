"""The ledger port on a PostgreSQL database, which machines may share."""

from collections.abc import Callable

from trimtab.adapters.postgres_ledger.url import read_url
from trimtab.adapters.sql_ledger.ledger import SqlLedger
from trimtab.atoms.error import ConfigurationRefused

#: By bytes: whoever changed a body by hand need not have left JSON.
_STRAYED = """
SELECT seq FROM entry WHERE position(
    convert_to(CASE name WHEN 'closing' THEN '"action":"' ELSE '"id":"' END || id || '"', 'UTF8') IN body
) = 0 ORDER BY seq
"""


class PostgresLedger(SqlLedger):
    """Flushed at each commit, one writing thread with group commit a process, calm while the server restarts."""

    def __init__(self, url: str, *, wall: Callable[[], float] | None = None) -> None:
        """Open the ledger in the database at `url`; its tables are made or migrated where they are not there.

        Args:
            url: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, and `?schema=NAME` for another than `trimtab`.
            wall: Seconds since 1970 by which leases end; the database's own time where None.

        Raises:
            UsageError: It is no such URL.
            ConfigurationRefused: The server would not keep what it acknowledged, or psycopg is not installed.
            StoreError: The server cannot be reached or does not let us in, or the ledger is a newer one.
        """
        where = read_url(url)
        try:
            from trimtab.adapters.postgres_ledger.database import PostgresDatabase
        except ImportError as error:
            raise ConfigurationRefused(
                f"a ledger in PostgreSQL needs psycopg ({error}): pip install 'trimtab[postgres]'"
            ) from error
        super().__init__(PostgresDatabase(where, wall))

    def own_faults(self) -> list[str]:
        """See `SelfExamining`: rows that cannot be found under the id that their record says."""
        strayed = self._database.read(lambda tables: tables.execute(_STRAYED).fetchall())
        return [
            f"{self._database.shown}: entry {seq} cannot be found by its id: restore it from a backup"
            for (seq,) in strayed
        ]
