"""The run index in one SQLite file."""

from trimtab.adapters.sqlite_run_index.index import open_run_index

__all__ = ["open_run_index"]
