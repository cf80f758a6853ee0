"""The ledger port on a PostgreSQL database, which machines may share."""

from collections.abc import Callable

from trimtab.adapters.postgres_ledger.url import read_url
from trimtab.adapters.sql_ledger.ledger import SqlLedger
from trimtab.atoms.error import ConfigurationRefused


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
