"""The run index in one SQLite file."""

from trimtab.adapters.sqlite_run_index.file import discard_run_index
from trimtab.adapters.sqlite_run_index.index import open_run_index

__all__ = ["discard_run_index", "open_run_index"]
