"""The engine: runs a step once, records it as an Action, and cleans up after the dead."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from trimtab.atoms.action import Action, Closing, Outcome, action_id
from trimtab.atoms.error import LeaseLost, StoreError
from trimtab.atoms.instant import iso
from trimtab.atoms.law import label
from trimtab.engine.memo import Memo
from trimtab.engine.step import Done, Step
from trimtab.engine.store import Store
from trimtab.engine.work import Work
from trimtab.ports.ledger import Lease

#: How long a silent process keeps its claim on a step. A process known to be dead loses it at once.
LEASE_SECONDS = 15.0


class Engine:
    """Execution is at least once; the recorded effect is exactly once."""

    def __init__(self, store: Store, say: Callable[[str], None] = lambda line: None) -> None:
        self.store = store
        self.memo = Memo(store.ledger)
        self._say = say

    def run(self, step: Step, function: Callable[[Work], None]) -> Done:
        """Do a step, or find that it was done.

        Opens an Action, runs `function`, and closes the Action together with all that was made and judged, in one
        append. A step that raises is closed as failed and raises; nothing it kept becomes an artifact.
        """
        step.card.allow_action(step.kind)
        for taken in step.took:
            step.card.allow_taken(self.store.artifact(taken).kind)
        key = step.key()
        if step.remembered and (done := self.memo.find(key)):
            return done
        with self.claim(key) as claimed:
            if step.remembered and (done := self.memo.find(key)):
                return done
            return self._act(step, key, function, step.lease or claimed)

    def tidy(self) -> int:
        """Close the Actions of processes that died as abandoned; returns how many."""
        abandoned = 0
        for action in self.memo.open_actions():
            if not action.key:
                continue  # no step: a run that somebody logs by hand is open until he closes it
            lease = self.store.ledger.take_lease(
                f"step:{action.key}", f"{self.store.holder}:tidy", LEASE_SECONDS
            )
            if lease is None:
                continue
            try:
                if any(still.id == action.id for still in self.memo.open_actions()):
                    self._close(action, Outcome.ABANDONED, "its process ended before it did")
                    abandoned += 1
            finally:
                self.store.ledger.give_lease(lease)
        return abandoned

    def _act(self, step: Step, key: str, function: Callable[[Work], None], lease: Lease) -> Done:
        now = self.store.now()
        action = Action(
            id=action_id(now),
            kind=step.kind,
            stage=step.card.verb,
            subject=step.subject,
            because=step.because,
            took=step.took,
            by=step.by,
            parent=step.parent,
            key=key,
            note=step.note,
            at=iso(now),
        )
        self.store.ledger.append([action], lease=lease)
        work = Work(card=step.card, store=self.store, action=action.id, say=self._say)
        try:
            self._hold_whole(step)
            function(work)
        except LeaseLost:
            raise
        except Exception as error:
            self._close(action, Outcome.FAILED, f"{type(error).__name__}: {error}"[:2000])
            raise
        closing = Closing(
            action=action.id,
            outcome=Outcome.DONE,
            made=tuple(artifact.id for artifact in work.made),
            judged=tuple(check.id for check in work.checks),
            note=work.note,
            at=iso(self.store.now()),
        )
        # Under the lease: who slept through its time, so that another did the step, records nothing any more.
        self.store.ledger.append([*work.made, *work.checks, closing], lease=lease)
        return Done(action=action.id, made=tuple(work.made), checks=tuple(work.checks), note=work.note)

    def _hold_whole(self, step: Step) -> None:
        """Refuse to start from what was forgotten. Asked when the Action is open: from then on nothing it took goes."""
        self.memo.refresh()
        for taken, decision in self.memo.forgetting.among(step.took):
            what = label(self.store.artifact(taken))
            raise StoreError(f"{what} was {decision.says}: its parts are gone; make it again")

    def _close(self, action: Action, outcome: Outcome, note: str) -> None:
        self.store.ledger.append(
            [Closing(action=action.id, outcome=outcome, note=note, at=iso(self.store.now()))]
        )

    @contextmanager
    def claim(self, key: str) -> Iterator[Lease]:
        """Hold the right to do the step with this key; waits for another process that is doing it.

        While it is held, `tidy` in another process leaves the Action with this key alone.
        """
        name, holder = f"step:{key}", f"{self.store.holder}:{threading.get_ident()}"
        lease = self.store.ledger.take_lease(name, holder, LEASE_SECONDS)
        while lease is None:
            self.store.clock.sleep(0.05)
            lease = self.store.ledger.take_lease(name, holder, LEASE_SECONDS)
        stop = threading.Event()
        beat = threading.Thread(target=self._keep, args=(lease, name, holder, stop), daemon=True)
        beat.start()
        try:
            yield lease
        finally:
            stop.set()
            beat.join()
            self.store.ledger.give_lease(lease)

    def _keep(self, lease: Lease, name: str, holder: str, stop: threading.Event) -> None:
        while not stop.wait(LEASE_SECONDS / 3):
            renewed = self.store.ledger.take_lease(name, holder, LEASE_SECONDS)
            if renewed is None or renewed.token != lease.token:
                return
