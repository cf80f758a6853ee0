"""Following: bringing the run index up to what the ledger and the stream of run events hold."""

import threading
from collections.abc import Hashable
from itertools import islice

from trimtab.atoms.entry import Entry
from trimtab.atoms.error import Damaged, TrimtabError
from trimtab.atoms.run_event import STREAM, RunEvent, decode_event
from trimtab.engine.store import Store
from trimtab.ports.run_index import Position, RunIndex
from trimtab.ports.streams import Cursor
from trimtab.tracking.fold import Fold

#: Entries, and events, that the index takes in at once.
MOST_ENTRIES, MOST_EVENTS = 5000, 5000
#: Seconds after which the index is asked where it stands although nothing new came: it may have been begun anew.
TRUSTED_SECONDS = 1.0


class Follower:
    """Reads what is new and lets the index take it in; any number of threads and processes may follow at once."""

    def __init__(self, store: Store, index: RunIndex) -> None:
        self._store, self._index = store, index
        self._fold = Fold(store, index)
        self._following = threading.Lock()
        #: Where the index stood when it was last asked, and when that was.
        self._position: Position | None = None
        self._asked = 0.0
        #: Ledger's head and stream's pulse from before the index was last seen to hold everything.
        self._held: tuple[int, Hashable] | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def catch_up(self) -> None:
        """Return when the index holds everything that was acknowledged before the call. Cheap where nothing is new.

        Raises:
            Damaged: Something that was acknowledged cannot be read any more; the message names it.
            StoreError: The index cannot be written.
        """
        with self._following:
            now = self._store.clock.monotonic()
            if now - self._asked > TRUSTED_SECONDS:
                position, self._asked = self._index.position(), now
                if position != self._position:
                    self._position, self._held = position, None
            while True:
                newest = (self._store.ledger.head()[0], self._store.streams.pulse(STREAM))
                if newest == self._held:
                    return
                try:
                    done = self._follow()
                except BaseException:
                    self._position = self._held = None  # nobody knows where the index stands now
                    raise
                if done:
                    self._held = newest

    def start(self, every_seconds: float = 0.2) -> None:
        """Follow in a thread as well, so that whoever reads first after a burst need not wait for all of it."""
        if self._thread is not None:
            return
        self._stop.clear()
        self._thread = threading.Thread(
            target=self._work, args=(every_seconds,), name="run-index-follower", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread; returns when it has ended. Nothing is lost: the next one goes on from there."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set()
            thread.join()

    def _work(self, every_seconds: float) -> None:
        while not self._stop.wait(every_seconds):
            try:
                self.catch_up()
            except TrimtabError:
                # Whoever reads comes to the same place, and is told.
                self._stop.wait(5 * every_seconds)

    def _follow(self) -> bool:
        """Let the index take in what is new; False where there may be more."""
        after = self._position or self._index.position()
        # The stream is read before the ledger: of whomever an event is about, the ledger then tells.
        try:
            records, cursor = self._store.streams.read(STREAM, after.cursor, MOST_EVENTS)
        except Damaged:
            if not after.cursor.segments or self._store.streams.faults(STREAM):
                raise
            # A power cut took what was read before it was durable, and so was never acknowledged: read all again.
            self._position = None
            again = Position(entry=after.entry, cursor=Cursor())
            self._index.take([], after=after, upto=again)
            return False
        head = self._store.ledger.head()[0]
        self._position = self._take(after, head, [decode_event(record) for record in records], cursor)
        return self._position is not None and len(records) < MOST_EVENTS

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
