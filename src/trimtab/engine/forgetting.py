"""What a person gave up: artifacts whose records and content stay while their parts are gone."""

from collections.abc import Iterable, Iterator

import msgspec

from trimtab.atoms.action import Action, Closing
from trimtab.atoms.digest import SHORT
from trimtab.atoms.entry import Record

#: The stage of these Actions: the engine's own, so no card of the loop allows them.
STAGE = "engine"
FORGET = "forget"
PIN = "pin"
UNPIN = "unpin"


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """The decision by which the parts of an artifact went."""

    #: Id of the Action.
    action: str
    #: UTC, ISO 8601.
    at: str
    by: str

    @property
    def says(self) -> str:
        """The sentence's end: when and by which Action."""
        return f"forgotten on {self.at[:10]} by action {self.action[: SHORT + 4]} ({self.by})"


class Forgetting:
    """A fold over the ledger: what was forgotten and not made again since, and what is pinned.

    An Action counts from its opening, however it ended: parts of what it took may be gone from then on.
    """

    def __init__(self) -> None:
        self._forgotten: dict[str, Forgotten] = {}
        self._pinned: dict[str, None] = {}

    def take(self, record: Record) -> None:
        """Take the next record of the ledger."""
        if isinstance(record, Closing):
            # Whoever made it again has kept its parts again.
            for made in record.made if self._forgotten else ():
                self._forgotten.pop(made, None)
        elif isinstance(record, Action) and record.stage == STAGE:
            if record.kind == FORGET:
                decided = Forgotten(action=record.id, at=record.at, by=record.by)
                self._forgotten.update(dict.fromkeys(record.took, decided))
            elif record.kind == PIN:
                self._pinned.update(dict.fromkeys(record.took))
            elif record.kind == UNPIN:
                for taken in record.took:
                    self._pinned.pop(taken, None)

    def of(self, artifact: str) -> Forgotten | None:
        """The decision by which an artifact was forgotten; None while it is whole."""
        return self._forgotten.get(artifact)

    def among(self, artifacts: Iterable[str]) -> Iterator[tuple[str, Forgotten]]:
        """Those of `artifacts` that were forgotten, with the decision."""
        if self._forgotten:
            yield from ((item, self._forgotten[item]) for item in artifacts if item in self._forgotten)

    @property
    def pinned(self) -> list[str]:
        """Artifacts that a person wants whole, in the order in which they were pinned."""
        return list(self._pinned)

    def __len__(self) -> int:
        return len(self._forgotten)
