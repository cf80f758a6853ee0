"""Following: bringing the run index up to what the ledger and the stream of run events hold."""

from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex


class Follower:
    """Reads what is new and lets the index take it in; any number of threads and processes may follow at once."""

    def __init__(self, store: Store, index: RunIndex) -> None:
        self._store, self._index = store, index

    def catch_up(self) -> None:
        """Return when the index holds everything that was acknowledged before the call. Cheap where nothing is new."""
        raise NotImplementedError
