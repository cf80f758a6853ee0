"""Following: bringing the run index up to what the ledger and the stream of run events hold."""

import threading
from itertools import islice

from trimtab.atoms.entry import Entry
from trimtab.atoms.run_event import STREAM, RunEvent, decode_event
from trimtab.engine.store import Store
from trimtab.ports.run_index import Position, RunIndex
from trimtab.ports.streams import Cursor
from trimtab.tracking.fold import Fold

#: Entries, and events, that the index takes in at once.
MOST_ENTRIES, MOST_EVENTS = 5000, 5000


class Follower:
    """Reads what is new and lets the index take it in; any number of threads and processes may follow at once."""

    def __init__(self, store: Store, index: RunIndex) -> None:
        self._store, self._index = store, index
        self._fold = Fold(store, index)
        self._following = threading.Lock()
        #: Where the index stood when it was last seen to hold everything.
        self._seen: Position | None = None

    def catch_up(self) -> None:
        """Return when the index holds everything that was acknowledged before the call. Cheap where nothing is new."""
        with self._following:
            position = self._seen
            while True:
                after = position or self._index.position()
                # The stream is read before the ledger: of whoever an event is about, the ledger then tells.
                records, cursor = self._store.streams.read(STREAM, after.cursor, MOST_EVENTS)
                head = self._store.ledger.head()[0]
                if not records and head == after.entry and position is not None:
                    return
                position = self._take(after, head, [decode_event(record) for record in records], cursor)
                self._seen = position

    def _take(self, after: Position, head: int, events: list[RunEvent], cursor: Cursor) -> Position | None:
        """Let the index take in entries up to number `head`, then events; None where another one did so first."""
        while True:
            entries = self._entries(after.entry, head)
            last = len(entries) < MOST_ENTRIES
            tracked = [*self._fold.take(entries), *(events if last else ())]
            entry = entries[-1].seq if entries else after.entry
            upto = Position(entry=entry, cursor=cursor if last else after.cursor)
            if upto != after and not self._index.take(tracked, after=after, upto=upto):
                return None
            if last:
                return upto
            after = upto

    def _entries(self, after: int, head: int) -> list[Entry]:
        most = min(MOST_ENTRIES, head - after)
        return list(islice(self._store.ledger.entries(after=after, limit=most), most)) if most > 0 else []
