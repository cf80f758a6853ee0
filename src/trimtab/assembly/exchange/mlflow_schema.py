"""An MLflow database that rows are written into: its tables are made by MLflow alone, and its columns are asked for."""

import importlib.util
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from trimtab.atoms.error import StoreError, UsageError

_SECONDS = 300
#: Makes the tables as MLflow's own server would at its first start.
_MAKE = (
    "import sys; from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore; "
    "SqlAlchemyStore(sys.argv[1], 'mlflow-artifacts:/')"
)
_NEEDED = (
    "experiments",
    "runs",
    "metrics",
    "latest_metrics",
    "params",
    "tags",
    "inputs",
    "registered_models",
)


class MlflowTables:
    """Rows for the tables of one database. A column that this version of MLflow lacks is left out."""

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        """
        Raises:
            UsageError: A table is missing.
        """
        self._database, self._path = database, path
        self._columns: dict[str, list[tuple[str, bool]]] = {}
        for table in _NEEDED:
            if not self._of(table):
                raise UsageError(
                    f"{path} is no MLflow database of version 2.4 or later: it has no table {table}; "
                    f"`mlflow db upgrade sqlite:///{path}` brings an older one up"
                )

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        return bool(self._of(table))

    def put(self, table: str, row: Mapping[str, Any], *, replace: bool = False) -> bool:
        """Write a row that is not there yet; True where it was written.

        Args:
            replace: A row with the same key is replaced.

        Raises:
            UsageError: The table wants a column that `row` has not: it is of a version that is not known here.
        """
        columns = [name for name, _ in self._of(table) if name in row]
        missing = [name for name, needed in self._of(table) if needed and row.get(name) is None]
        if missing:
            raise UsageError(
                f"{self._path}: table {table} wants {', '.join(missing)}: this Trimtab does not know that version of "
                "MLflow's tables; start `mlflow server` over it and export to its http:// address"
            )
        verb = "REPLACE" if replace else "IGNORE"
        marks = ",".join("?" * len(columns))
        sql = f"INSERT OR {verb} INTO {table} ({','.join(columns)}) VALUES ({marks})"
        return self._database.execute(sql, [row[name] for name in columns]).rowcount > 0

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """What a query gives."""
        return self._database.execute(sql, values).fetchall()

    def change(self, sql: str, values: tuple[Any, ...]) -> None:
        """Run a statement."""
        self._database.execute(sql, values)

    def save(self) -> None:
        """Make what was written durable."""
        self._database.commit()

    def _of(self, table: str) -> list[tuple[str, bool]]:
        """Columns with whether a row must say them."""
        if table not in self._columns:
            self._columns[table] = [
                (row[1], bool(row[3]) and row[4] is None)
                for row in self._database.execute(f'PRAGMA table_info("{table}")')
            ]
        return self._columns[table]


@contextmanager
def open_tables(path: Path) -> Iterator[MlflowTables]:
    """The tables of a database, which MLflow makes where there is no file; what was not saved is undone at the end.

    Raises:
        UsageError: There is no file and no package `mlflow` to make one, or the file is none of MLflow's.
        StoreError: It cannot be written.
    """
    if not path.exists():
        _make(path)
    try:
        with closing(sqlite3.connect(path, timeout=30)) as database:
            yield MlflowTables(database, path)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be written: {error}") from error


def _make(path: Path) -> None:
    if importlib.util.find_spec("mlflow") is None:
        raise UsageError(
            f"{path} is not there, and only MLflow can make its tables: `pip install mlflow` here, or start "
            "`mlflow server` and export to its http:// address"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        [sys.executable, "-c", _MAKE, f"sqlite:///{path}"],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if made.returncode:
        path.unlink(missing_ok=True)
        raise StoreError(f"MLflow could not make its tables in {path}: {made.stderr.strip()[-500:]}")
