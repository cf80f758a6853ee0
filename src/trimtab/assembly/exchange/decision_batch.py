"""Many decisions of one exchange in one append: children of its Action, each at the moment that the source tells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from trimtab.atoms.action import Action, Closing, Outcome, action_id
from trimtab.atoms.artifact import artifact_of
from trimtab.atoms.content.content import Content
from trimtab.atoms.entry import Record
from trimtab.atoms.instant import iso
from trimtab.engine.store import Store
from trimtab.tracking.decision import STAGE


@dataclass(slots=True)
class DecisionBatch:
    """Gathers records; `write` appends them, whole or not at all."""

    store: Store
    by: str
    #: The Action of the exchange.
    parent: str
    records: list[Record] = field(default_factory=list)

    def add(
        self,
        kind: str,
        subject: str,
        contents: Sequence[Content] = (),
        *,
        at: datetime | None = None,
        parent: str | None = None,
    ) -> None:
        """A decision that was made at a moment (None: now) and is done."""
        moment = iso(at or self.store.now())
        action = Action(
            id=action_id(self.store.now()),
            kind=kind,
            stage=STAGE,
            subject=subject,
            by=self.by,
            parent=parent or self.parent,
            at=moment,
        )
        made = []
        self.records.append(action)
        for content in contents:
            artifact, body = artifact_of(content)
            self.store.blobs.put(body)
            self.records.append(artifact)
            made.append(artifact.id)
        self.records.append(Closing(action=action.id, outcome=Outcome.DONE, made=tuple(made), at=moment))

    def write(self) -> None:
        """Append what was gathered, and begin anew."""
        if self.records:
            self.store.ledger.append(self.records)
            self.records = []
