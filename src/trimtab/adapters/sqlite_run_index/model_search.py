"""Logged models, found and searched."""

from trimtab.adapters.sqlite_run_index.card import model_of
from trimtab.adapters.sqlite_run_index.file import IndexFile
from trimtab.adapters.sqlite_run_index.page import find_card, found_page
from trimtab.adapters.sqlite_run_index.schema import Kind
from trimtab.atoms.run import LoggedModel
from trimtab.atoms.run_query import Page, Query
from trimtab.atoms.searchable import LOGGED_MODELS


class SqliteModelSearch:
    """See `ModelSearch`."""

    def __init__(self, file: IndexFile) -> None:
        self._file = file

    def find(self, model: str) -> LoggedModel | None:
        """See the port."""
        with self._file.read() as connection:
            stored = find_card(connection, Kind.MODEL, model)
            return None if stored is None else model_of(stored)

    def search(self, query: Query) -> Page[LoggedModel]:
        """See the port."""
        with self._file.read() as connection:
            return found_page(connection, LOGGED_MODELS, query, model_of)
