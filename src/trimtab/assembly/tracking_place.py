"""Opening a project's tracking: its store, with the run index that lies in the store's folder."""

from collections.abc import Iterator
from contextlib import contextmanager

from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.assembly.project import Project
from trimtab.engine.store import Store
from trimtab.tracking.tracking import Tracking, open_tracking

#: The run index, in the store's folder; it may be deleted: it is made again from the ledger and the stream.
INDEX_FILE = "runs.sqlite"


@contextmanager
def open_project_tracking(project: Project, *, create: bool = True) -> Iterator[Tracking]:
    """Tracking of a project while the block runs; its store is `tracking.store`.

    Args:
        create: Whether to make a store where there is none.

    Raises:
        UsageError: There is no store, and none was to be made.
        StoreError: The store cannot be read or written.
    """
    store = project.open_store(create=create)
    try:
        with tracking_over(project, store) as tracking:
            yield tracking
    finally:
        store.close()


@contextmanager
def tracking_over(project: Project, store: Store) -> Iterator[Tracking]:
    """The same over a store that is open already, and stays open."""
    index = open_run_index(project.store_folder / INDEX_FILE)
    try:
        yield open_tracking(store, index)
    finally:
        index.close()
