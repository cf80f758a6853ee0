"""A storyteller: writes whole Actions, with what they made and judged, at moments of its choosing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trimtab.atoms.action import Action, Closing, Outcome, action_id
from trimtab.atoms.artifact import Artifact, artifact_of
from trimtab.atoms.check import Check, Limit, Reading, Subjects, Verdict, check_of
from trimtab.atoms.content.content import Content, Part
from trimtab.atoms.content.rules import Rules
from trimtab.atoms.digest import SHORT
from trimtab.atoms.instant import iso
from trimtab.engine.store import Store


@dataclass
class Storyteller:
    """Holds no step to a card: for ledgers in tests and examples, where no real work is done."""

    store: Store
    #: The moment of the next record.
    now: datetime

    def part(self, content: bytes) -> Part:
        """Bytes for content to point to."""
        return Part(blob=self.store.blobs.put(content), size_bytes=len(content))

    def thing(self, content: Content) -> Artifact:
        """The artifact that `content` is, with its bytes kept; told by the Action that it is made in."""
        artifact, body = artifact_of(content)
        self.store.blobs.put(body)
        return artifact

    def judgement(
        self,
        rule: str,
        candidate: Artifact,
        verdict: Verdict,
        says: str,
        *,
        reading: Reading | None = None,
        limit: Limit | None = None,
        about: str = "",
        baseline: str | None = None,
    ) -> Check:
        """A Check by a rule that has no settings."""
        rules = artifact_of(Rules(name=rule, settings={}))[0]
        return check_of(
            rule=f"{rule}@{rules.id[:SHORT]}",
            subjects=Subjects(candidate=candidate.id, baseline=baseline),
            about=about,
            reading=reading or Reading(value=None),
            limit=limit or Limit(),
            verdict=verdict,
            says=says,
            at=iso(self.now),
        )

    def tell(
        self,
        stage: str,
        kind: str,
        subject: str,
        *,
        by: str = "person:example",
        took: Sequence[str] = (),
        because: Sequence[Check] = (),
        made: Sequence[Artifact] = (),
        judged: Sequence[Check] = (),
        outcome: Outcome = Outcome.DONE,
        note: str = "",
        seconds: float = 20.0,
    ) -> str:
        """Record an Action from its opening to its end; returns its id."""
        opened = self.now
        action = Action(
            id=action_id(opened),
            kind=kind,
            stage=stage,
            subject=subject,
            because=tuple(check.id for check in because),
            took=tuple(took),
            by=by,
            note=note,
            at=iso(opened),
        )
        self.now = opened + timedelta(seconds=seconds)
        closing = Closing(
            action=action.id,
            outcome=outcome,
            made=tuple(artifact.id for artifact in made),
            judged=tuple(check.id for check in judged),
            note=note,
            at=iso(self.now),
        )
        self.store.ledger.append([action])
        self.store.ledger.append([*made, *judged, closing])
        return action.id
