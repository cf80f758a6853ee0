"""Records for tests that need some and do not care which."""

from datetime import UTC, datetime, timedelta

from trimtab.atoms.action import Action, Closing, Outcome, action_id
from trimtab.atoms.artifact import Artifact, artifact_id
from trimtab.atoms.check import Check, Limit, Reading, Subjects, Verdict, check_of
from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.entry import Record
from trimtab.atoms.instant import iso

_START = datetime(2013, 1, 1, tzinfo=UTC)


def moment(number: int) -> str:
    """The `number`-th second of 2013."""
    return iso(_START + timedelta(seconds=number))


def artifact(number: int, kind: str = "evidence") -> Artifact:
    """An artifact whose content is the number's text; two with one number are the same."""
    body = str(number).encode()
    content = digest_bytes(body)
    return Artifact(id=artifact_id(kind, content), kind=kind, content=content, size_bytes=len(body))


def check(
    candidate: str, *, number: int = 0, baseline: str | None = None, evidence: str | None = None, at: int = 0
) -> Check:
    """A judgement; two with one number over the same artifacts are the same, whenever judged."""
    return check_of(
        rule="drift.location@0123456789ab",
        subjects=Subjects(candidate=candidate, baseline=baseline),
        reading=Reading(value=float(number), n=number),
        limit=Limit(at_most=1.0),
        verdict=Verdict.PASS,
        evidence=evidence,
        at=moment(at),
    )


def action(
    number: int = 0,
    *,
    by: str = "person:ada",
    because: tuple[str, ...] = (),
    took: tuple[str, ...] = (),
    parent: str | None = None,
    key: str = "",
) -> Action:
    """A new Action; each call gives one of its own."""
    return Action(
        id=action_id(_START + timedelta(seconds=number)),
        kind="note",
        stage="test",
        because=because,
        took=took,
        by=by,
        parent=parent,
        key=key,
        at=moment(number),
    )


def closing(
    of: Action,
    made: tuple[Artifact, ...] = (),
    judged: tuple[Check, ...] = (),
    outcome: Outcome = Outcome.DONE,
) -> Closing:
    """How the Action ended."""
    return Closing(
        action=of.id,
        outcome=outcome,
        made=tuple(item.id for item in made),
        judged=tuple(item.id for item in judged),
        at=of.at,
    )


def made(*numbers: int) -> list[Record]:
    """An append in which a person makes these artifacts."""
    opened = action()
    things = tuple(artifact(number) for number in numbers)
    return [opened, *things, closing(opened, things)]
