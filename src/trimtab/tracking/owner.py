"""Owners of what is logged: runs and logged models, remembered for as long as they are known to be alive."""

import threading
from collections import OrderedDict

from trimtab.atoms.error import Conflict, NotThere
from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex
from trimtab.tracking.follow import Follower

#: Owners that are remembered.
MOST_ALIVE = 10_000
#: Seconds for which nobody asks whether another process decided something.
UNASKED_SECONDS = 0.5


class Owners:
    """Knows who is alive, without reading: for up to half a second after another process deleted them."""

    def __init__(self, store: Store, index: RunIndex, follower: Follower) -> None:
        self._store, self._index, self._follower = store, index, follower
        self._alive: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()
        #: Number of the newest entry when nobody was remembered yet; what came later may have deleted them.
        self._entry = -1
        self._asked = 0.0

    def are_known(self, owner: str) -> bool:
        """Whether an owner is known to be alive without asking the index."""
        now = self._store.clock.monotonic()
        if now - self._asked > UNASKED_SECONDS or self._entry < 0:
            with self._lock:
                self._asked = now
                entry = self._store.ledger.head()[0]
                if entry != self._entry:
                    self._alive.clear()
                    self._entry = entry
        return owner in self._alive

    def require(self, owner: str) -> None:
        """Ask the index about an owner.

        Raises:
            NotThere: No run and no logged model has this id.
            Conflict: It is deleted.
        """
        if self.are_known(owner):
            return
        entry = self._entry
        self._follower.catch_up()
        run = self._index.runs.find(owner)
        model = None if run is not None else self._index.models.find(owner)
        head = run.head if run is not None else model.head if model is not None else None
        if head is None:
            raise NotThere(f"no run and no logged model has the id {owner[:80]!r}")
        if head.deleted:
            raise Conflict(f"{'run' if run else 'logged model'} {owner} is deleted: restore it first")
        self.remember(owner, entry)

    def remember(self, owner: str, entry: int) -> None:
        """Note that an owner was alive after the entry of this number; passed over where later ones were seen."""
        with self._lock:
            if entry < self._entry:
                return
            self._alive[owner] = None
            while len(self._alive) > MOST_ALIVE:
                self._alive.popitem(last=False)

    def forget(self, owner: str) -> None:
        """Note that an owner was deleted, by this process."""
        with self._lock:
            self._alive.pop(owner, None)
            self._entry = -1
