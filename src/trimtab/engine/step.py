"""A step: one piece of a stage's work, described before it runs."""

from dataclasses import dataclass, field
from typing import Any

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check, Verdict
from trimtab.atoms.digest import digest_value
from trimtab.engine.card import Card
from trimtab.ports.ledger import Lease


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done, to what, from what, why, and by whom."""

    card: Card
    #: Kind of the Action: on the card.
    kind: str
    #: Name of the source or model.
    subject: str
    #: Who decides: `person:NAME` or `policy:NAME`.
    by: str
    #: Ids of the artifacts it starts from.
    took: tuple[str, ...] = ()
    #: Everything beside `took` and `code` that changes the result; JSON values.
    parameters: dict[str, Any] = field(default_factory=dict)
    #: Digest of the code that does the work, where the user wrote it.
    code: str = ""
    because: tuple[str, ...] = ()
    parent: str | None = None
    note: str = ""
    #: False for a step that must happen again although nothing changed.
    remembered: bool = True
    #: Where only the holder of a lease may do it.
    lease: Lease | None = None

    def key(self) -> str:
        """Digest of inputs, parameters and code: two steps with one key do the same work."""
        return digest_value(
            "step",
            {
                "verb": self.card.verb,
                "kind": self.kind,
                "subject": self.subject,
                "took": list(self.took),
                "parameters": self.parameters,
                "code": self.code,
            },
        )


@dataclass(frozen=True, slots=True)
class Done:
    """How a step ended."""

    action: str
    made: tuple[Artifact, ...]
    checks: tuple[Check, ...]
    note: str
    #: True where an earlier Action had done it already.
    remembered: bool = False

    def first(self, kind: str) -> Artifact:
        """The first artifact of this kind that the step made."""
        return next(artifact for artifact in self.made if artifact.kind == kind)

    def all_of(self, kind: str) -> list[Artifact]:
        """Every artifact of this kind that the step made, in order."""
        return [artifact for artifact in self.made if artifact.kind == kind]

    def with_verdict(self, *verdicts: Verdict) -> list[Check]:
        """The Checks that ended so."""
        return [check for check in self.checks if check.verdict in verdicts]
