"""What has been done already, by key: a fold over the ledger."""

import threading

from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check
from trimtab.engine.forgetting import Forgetting
from trimtab.engine.step import Done
from trimtab.ports.ledger import Ledger


class Memo:
    """Finds the Action that did a step's work, and the Actions that were opened and never closed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._reading = threading.Lock()
        self._read = 0
        self._open: dict[str, Action] = {}
        self._done: dict[str, tuple[str, Closing]] = {}
        self.forgetting = Forgetting()

    def refresh(self) -> None:
        """Read what the ledger got since the last call."""
        with self._reading:
            if self._ledger.head()[0] != self._read:
                self._take_in()

    def _take_in(self) -> None:
        for entry in self._ledger.entries(after=self._read):
            self._read = entry.seq
            self.forgetting.take(entry.record)
            if isinstance(entry.record, Action):
                self._open[entry.record.id] = entry.record
            elif isinstance(entry.record, Closing):
                action = self._open.pop(entry.record.action, None)
                if action is not None and action.key and entry.record.outcome is Outcome.DONE:
                    self._done[action.key] = (action.id, entry.record)

    def find(self, key: str) -> Done | None:
        """What the newest done Action with this key made and judged; None where parts of it were forgotten."""
        self.refresh()
        found = self._done.get(key)
        if found is None:
            return None
        action, closing = found
        if any(self.forgetting.among(closing.made)):
            return None
        made = tuple(self._ledger.find(item) for item in closing.made)
        checks = tuple(self._ledger.find(item) for item in closing.judged)
        return Done(
            action=action,
            made=tuple(item for item in made if isinstance(item, Artifact)),
            checks=tuple(item for item in checks if isinstance(item, Check)),
            note=closing.note,
            remembered=True,
        )

    def open_actions(self) -> list[Action]:
        """Actions without a Closing, oldest first."""
        self.refresh()
        return list(self._open.values())
