"""Memory: all views of one store, folded over its ledger and kept up to date."""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from trimtab.atoms.action import Action, Closing
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check
from trimtab.atoms.entry import GENESIS, Entry, Record
from trimtab.engine.forgetting import Forgetting
from trimtab.engine.store import Store
from trimtab.views.book import Book
from trimtab.views.incident import Incidents
from trimtab.views.lineage import Links
from trimtab.views.quality import Quality
from trimtab.views.release import Releases
from trimtab.views.retrain import Retrains
from trimtab.views.span import Spans
from trimtab.views.stage import Stages
from trimtab.views.timeline import Timeline
from trimtab.views.training import Trainings
from trimtab.views.window import Windows

#: Entries from which a refresh is a long read.
_LONG_READ = 5000

_METHODS: dict[type, str] = {
    Artifact: "on_artifact",
    Check: "on_check",
    Action: "on_action",
    Closing: "on_closing",
}


class Fold(Protocol):
    """Contract: a fold has `on_artifact`, `on_check`, `on_action` or `on_closing`, or several of them.

    Each takes (record, book) in the ledger's order; the same records give the same fold.
    """


class Memory:
    """The views as attributes. Empty until `refresh` is called, and as old as the last call of it."""

    def __init__(self, store: Store, *, lineage: bool = False) -> None:
        """Remember nothing yet.

        Args:
            lineage: Whether the edges between records will be asked for: they are then built in the same reading.
        """
        self.store = store
        self.releases = Releases()
        self.spans = Spans(store)
        self.windows = Windows()
        self.quality = Quality(self.windows)
        self.timeline = Timeline()
        self.stages = Stages()
        self.trainings = Trainings()
        self.retrains = Retrains()
        self.incidents = Incidents()
        #: Artifacts whose parts a person gave up.
        self.forgetting = Forgetting()
        #: Number and chain value of the last entry that was taken.
        self.head: tuple[int, str] = (0, GENESIS)
        self._book = Book(store)
        self._links = Links()
        self._links_head = 0
        self._lineage = lineage
        self._lock = threading.RLock()
        self._takers = _takers(
            # Quality asks Windows: it comes after it.
            (
                self.releases,
                self.spans,
                self.windows,
                self.quality,
                self.timeline,
                self.stages,
                self.trainings,
                self.retrains,
                self.incidents,
                _Forgets(self.forgetting),
            )
        )

    @contextmanager
    def reading(self) -> Iterator["Memory"]:
        """Up to date, and changed by no other thread while the block runs: how threads share one memory."""
        with self._lock:
            self.refresh()
            yield self

    def refresh(self) -> bool:
        """Take what the ledger got since the last call; True where there was something. Cheap to poll."""
        newest = self.store.ledger.head()
        if newest == self.head:
            return False
        before = self.head[0]
        with _no_collector(newest[0] - before):
            self._take_in(before)
        return self.head[0] > before

    def _take_in(self, before: int) -> None:
        take, link = self.take, self._links.take
        together = self._lineage and self._links_head == before
        last: Entry | None = None
        try:
            for entry in self.store.ledger.entries(after=before):
                take(entry.record)
                if together:
                    link(entry.record)
                last = entry
        finally:
            if last is not None:
                self.head = (last.seq, last.chain)
                self._links_head = last.seq if together else self._links_head

    def take(self, record: Record) -> None:
        """Feed one record to every view."""
        book = self._book
        kind = type(record)
        if kind is not Closing:
            book.add(record)  # type: ignore[arg-type]
        for taker in self._takers[kind]:
            taker(record, book)
        if kind is Closing:
            book.end(record.action)  # type: ignore[union-attr]

    @property
    def links(self) -> Links:
        """The edges between all records up to now; where nobody said that they are wanted, built when asked for."""
        if self._links_head < self.head[0]:
            with _no_collector(self.head[0] - self._links_head):
                for entry in self.store.ledger.entries(after=self._links_head):
                    self._links.take(entry.record)
                    self._links_head = entry.seq
        return self._links


class _Forgets:
    """The engine's own fold, as one of the views."""

    def __init__(self, forgetting: Forgetting) -> None:
        self._take = forgetting.take

    def on_action(self, action: Action, book: Book) -> None:
        self._take(action)

    def on_closing(self, closing: Closing, book: Book) -> None:
        self._take(closing)


@contextmanager
def _no_collector(entries: int) -> Iterator[None]:
    """Hold the cycle collector back over a long read: records make no cycles, and it takes half the time.

    What was read counts as old afterwards: the collector's next young pass would else walk through all of it.
    """
    pause = entries > _LONG_READ and gc.isenabled()
    if pause:
        gc.disable()
    try:
        yield
    finally:
        if pause:
            gc.freeze()
            gc.unfreeze()
            gc.enable()


def _takers(folds: tuple[Fold, ...]) -> dict[type, list[Callable[[Any, Book], None]]]:
    return {
        record: [getattr(fold, method) for fold in folds if hasattr(fold, method)]
        for record, method in _METHODS.items()
    }
