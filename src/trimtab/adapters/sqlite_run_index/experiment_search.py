"""Experiments, found and searched."""

from trimtab.adapters.sqlite_run_index.card import experiment_of
from trimtab.adapters.sqlite_run_index.file import IndexFile
from trimtab.adapters.sqlite_run_index.page import find_card, found_page
from trimtab.adapters.sqlite_run_index.schema import Kind
from trimtab.atoms.run import Experiment
from trimtab.atoms.run_query import Page, Query
from trimtab.atoms.searchable import EXPERIMENTS

#: Were there several, the first one that lives.
_NAMED = """
SELECT head, logged, metrics FROM experiment JOIN card ON owner = n WHERE name = ? ORDER BY deleted, n LIMIT 1
"""


class SqliteExperimentSearch:
    """See `ExperimentSearch`."""

    def __init__(self, file: IndexFile) -> None:
        self._file = file

    def find(self, experiment: str) -> Experiment | None:
        """See the port."""
        with self._file.read() as connection:
            stored = find_card(connection, Kind.EXPERIMENT, experiment)
            return None if stored is None else experiment_of(stored)

    def named(self, name: str) -> Experiment | None:
        """See the port."""
        with self._file.read() as connection:
            stored = connection.execute(_NAMED, (name,)).fetchone()
            return None if stored is None else experiment_of(stored)

    def search(self, query: Query) -> Page[Experiment]:
        """See the port."""
        with self._file.read() as connection:
            return found_page(connection, EXPERIMENTS, query, experiment_of)
