"""The registry's book: the folds kept up to date, and the one way by which anything is decided about them."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.actor import Actor
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.change import Change
from trimtab.atoms.content.content import Content
from trimtab.atoms.error import Conflict
from trimtab.engine.store import Store
from trimtab.tracking.decision import STAGE, decide_change
from trimtab.tracking.registry.pipeline_fold import PipelineFold
from trimtab.tracking.registry.stored_fold import StoredFold

#: Kind of the Actions that change what is stored.
KIND = "registry"

Answer = TypeVar("Answer")


class Book:
    """What the ledger says up to now. Any number of threads and processes may read and decide at once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._reading = threading.RLock()
        self._read = 0
        self._open: dict[str, Action] = {}
        self._pipeline = PipelineFold(store)
        self._stored = StoredFold(lambda name: self._pipeline.find(name) is not None)

    def read(self, question: Callable[[StoredFold, PipelineFold], Answer]) -> Answer:
        """What the folds answer, once they hold all that was acknowledged before the call."""
        with self._reading:
            if self.store.ledger.head()[0] != self._read:
                for entry in self.store.ledger.entries(after=self._read):
                    self._take(entry.record)
                    self._read = entry.seq
            return question(self._stored, self._pipeline)

    def decide(self, changes: Sequence[Content], *, by: Actor, subject: str, took: Sequence[str] = ()) -> str:
        """Record changes; returns the Action's id.

        Raises:
            Conflict: Another decision came before this one, so that it had no effect.
        """
        action = decide_change(self.store, KIND, changes, by=by, subject=subject, took=took)
        lost = self.read(lambda stored, pipeline: stored.lost.pop(action, None))
        if lost is not None:
            raise Conflict(f"{lost}: somebody else changed {subject!r} at the same time")
        return action

    def _take(self, record: object) -> None:
        if isinstance(record, Action):
            if record.stage in ("register", "release") or (record.stage, record.kind) == (STAGE, KIND):
                self._open[record.id] = record
        elif isinstance(record, Closing):
            action = self._open.get(record.action)
            if action is not None and record.outcome is Outcome.DONE:
                self._take_done(action, record)
            self._open.pop(record.action, None)

    def _take_done(self, action: Action, closing: Closing) -> None:
        if action.stage == STAGE:
            self._stored.take(action, self._changes(closing))
            return
        self._pipeline.take(action, closing)
        if action.stage == "register" and self._pipeline.find(action.subject) is not None:
            self._stored.make_way(action.subject)

    def _changes(self, closing: Closing) -> list[Change]:
        return [
            Change.parse(self.store.blobs.get(artifact.content))
            for artifact in map(self.store.ledger.find, closing.made)
            if isinstance(artifact, Artifact) and artifact.kind == Change.kind
        ]
