"""The book: what every fold may look up about the records before the one it is taking."""

from typing import TypeVar

import msgspec

from trimtab.atoms.action import Action
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check
from trimtab.engine.store import Store

SomeStruct = TypeVar("SomeStruct", bound=msgspec.Struct)


class Book:
    """Open Actions, the artifacts seen so far, and a way to content that reads only the fields asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._artifacts: dict[str, Artifact] = {}
        self._open: dict[str, Action] = {}
        self._fresh: dict[str, Check] = {}

    def add(self, record: Artifact | Check | Action) -> None:
        """Note a record before the folds take it."""
        if isinstance(record, Check):  # of ten records nine are
            self._fresh[record.id] = record
        elif isinstance(record, Artifact):
            self._artifacts[record.id] = record
        else:
            self._open[record.id] = record

    def end(self, action: str) -> None:
        """Forget an Action after the folds took its Closing: folds keep what they need of it."""
        self._open.pop(action, None)
        self._fresh.clear()

    def open_action(self, action: str) -> Action | None:
        """The Action with this id, until its Closing has been taken."""
        return self._open.get(action)

    def kind(self, artifact: str) -> str:
        """Kind of an artifact; empty where the ledger has none with this id."""
        found = self._artifacts.get(artifact)
        return found.kind if found else ""

    def of_kind(self, artifacts: tuple[str, ...], kind: str) -> list[str]:
        """Those of `artifacts` that are of this kind, in order."""
        return [artifact for artifact in artifacts if self.kind(artifact) == kind]

    def check(self, check: str) -> Check | None:
        """The Check with this id."""
        if check in self._fresh:
            return self._fresh[check]
        found = self._store.ledger.find(check)
        return found if isinstance(found, Check) else None

    def head(self, artifact: str, fields: type[SomeStruct]) -> SomeStruct:
        """The fields of an artifact's content that `fields` names; the others are passed over unread.

        Raises:
            KeyError: The content is not in the store.
            Damaged: The content does not have its digest.
        """
        return msgspec.json.decode(self._store.blobs.get(self._artifacts[artifact].content), type=fields)
