"""Runs, found and searched."""

from trimtab.adapters.sqlite_run_index.card import Stored, run_of
from trimtab.adapters.sqlite_run_index.file import IndexFile
from trimtab.adapters.sqlite_run_index.number import name_number, owner_number
from trimtab.adapters.sqlite_run_index.page import find_card, found_count, found_page
from trimtab.adapters.sqlite_run_index.point_row import points_of
from trimtab.adapters.sqlite_run_index.schema import Kind
from trimtab.atoms.metric_point import Points
from trimtab.atoms.run import Run
from trimtab.atoms.run_query import Page, Query
from trimtab.atoms.searchable import RUNS

_POINTS = "SELECT pack FROM points WHERE owner = ? AND name = ?"


class SqliteRunSearch:
    """See `RunSearch`."""

    def __init__(self, file: IndexFile) -> None:
        self._file = file

    def find(self, run: str) -> Run | None:
        """See the port."""
        with self._file.read() as connection:
            stored: Stored | None = find_card(connection, Kind.RUN, run)
            return None if stored is None else run_of(stored)

    def search(self, query: Query) -> Page[Run]:
        """See the port."""
        with self._file.read() as connection:
            return found_page(connection, RUNS, query, run_of)

    def count(self, query: Query) -> int:
        """See the port."""
        with self._file.read() as connection:
            return found_count(connection, RUNS, query)

    def points(self, run: str, metric: str) -> Points:
        """See the port."""
        with self._file.read() as connection:
            owner = owner_number(connection, Kind.RUN, run)
            name = name_number(connection, metric)
            packs = [pack for (pack,) in connection.execute(_POINTS, (owner, name))]
        return points_of(metric, packs)
