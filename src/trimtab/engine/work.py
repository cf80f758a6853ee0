"""What a step's function is given: a place to keep things and to judge them, held to the stage's card."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from trimtab.atoms.artifact import Artifact, artifact_of
from trimtab.atoms.check import Check, Limit, Reading, Subjects, Verdict, check_of
from trimtab.atoms.content.content import Content, Part
from trimtab.atoms.content.rules import Rules
from trimtab.atoms.digest import SHORT
from trimtab.atoms.instant import iso
from trimtab.engine.card import Card
from trimtab.engine.store import Store

SomeContent = TypeVar("SomeContent", bound=Content)


@dataclass(slots=True)
class Work:
    """One run of one step. What it keeps and judges is recorded in one append when the step ends well."""

    card: Card
    store: Store
    #: Id of the step's Action.
    action: str
    say: Callable[[str], None]
    made: list[Artifact] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    #: The sentence that the Action closes with.
    note: str = ""

    def keep(self, content: Content) -> Artifact:
        """Keep content as an artifact that this step made."""
        artifact, body = artifact_of(content)
        self.card.allow_made(artifact.kind)
        self.store.blobs.put(body)
        if artifact not in self.made:
            self.made.append(artifact)
        return artifact

    def keep_bytes(self, content: bytes, media_type: str = "application/octet-stream") -> Part:
        """Keep bytes that content of this step points to."""
        return Part(blob=self.store.blobs.put(content), size_bytes=len(content), media_type=media_type)

    def read(self, artifact_id: str, content: type[SomeContent]) -> SomeContent:
        """Read an artifact whose kind the card takes (or that this step just made)."""
        if content.kind not in (artifact.kind for artifact in self.made):
            self.card.allow_taken(content.kind)
        for artifact in self.made:
            if artifact.id == artifact_id:
                return content.parse(self.store.blobs.get(artifact.content))
        return self.store.read(artifact_id, content)

    def part(self, part: Part) -> bytes:
        """The bytes of a part."""
        return self.store.part(part)

    def rules(self, name: str, settings: dict[str, Any]) -> Artifact:
        """Keep the settings that Checks are judged by."""
        return self.keep(Rules(name=name, settings=settings))

    def judge(
        self,
        rule: str,
        rules: Artifact,
        candidate: str,
        *,
        reading: Reading,
        limit: Limit,
        verdict: Verdict,
        says: str,
        about: str = "",
        baseline: str | None = None,
        evidence: Artifact | None = None,
    ) -> Check:
        """Record a judgement by the rule called `rule`, read from the artifact `rules`."""
        self.card.allow_judged(rule)
        check = check_of(
            rule=f"{rule}@{rules.id[:SHORT]}",
            subjects=Subjects(candidate=candidate, baseline=baseline),
            about=about,
            reading=reading,
            limit=limit,
            verdict=verdict,
            says=says,
            evidence=evidence.id if evidence else None,
            at=iso(self.store.now()),
        )
        self.checks.append(check)
        return check
