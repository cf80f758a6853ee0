"""The three laws: no judgement without a thing, no decision without a judgement, no thing without a maker."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from trimtab.atoms.action import Action, Closing
from trimtab.atoms.artifact import Artifact, artifact_id
from trimtab.atoms.check import Check, has_its_id
from trimtab.atoms.digest import SHORT
from trimtab.atoms.entry import RECORD_NAMES, Record
from trimtab.atoms.error import LawBroken


class Reference(NamedTuple):
    """One record's need of another."""

    #: What the other is to it: `candidate`, `took`, `made` ...
    role: str
    #: What sort of record the other must be: a name of `RECORD_NAMES`.
    name: str
    id: str
    #: Whether the other must stand before it; otherwise being in the same append is enough.
    earlier: bool


class Known(Protocol):
    """What a ledger holds already."""

    def name_of(self, record_id: str) -> str | None:
        """Whether the id is of an `artifact`, a `check` or an `action`; None for an id that is not there."""
        ...

    def is_closed(self, action: str) -> bool:
        """Whether the Action with this id has a Closing."""
        ...


def references(record: Record) -> Iterator[Reference]:
    """Every record that `record` cannot stand without."""
    if isinstance(record, Check):
        yield Reference("candidate", "artifact", record.subjects.candidate, False)
        if record.subjects.baseline is not None:
            yield Reference("baseline", "artifact", record.subjects.baseline, False)
        if record.evidence is not None:
            yield Reference("evidence", "artifact", record.evidence, False)
    elif isinstance(record, Action):
        yield from (Reference("because", "check", item, True) for item in record.because)
        yield from (Reference("took", "artifact", item, True) for item in record.took)
        if record.parent is not None:
            yield Reference("parent", "action", record.parent, True)
    elif isinstance(record, Closing):
        yield Reference("action", "action", record.action, True)
        yield from (Reference("made", "artifact", item, False) for item in record.made)
        yield from (Reference("judged", "check", item, False) for item in record.judged)


def own_fault(record: Record) -> str | None:
    """What is wrong with a record that can be seen without any other; None for nothing."""
    if isinstance(record, Artifact) and record.id != artifact_id(record.kind, record.content):
        return "its id is not the digest of its kind and content"
    if isinstance(record, Check) and not has_its_id(record):
        return "its id is not the digest of what it says"
    if isinstance(record, Action) and not (
        record.by.startswith("person:") or record.because or record.parent
    ):
        return f"it is by {record.by!r} and answers no check: only a person decides without a reason"
    return None


def label(record: Record) -> str:
    """How a message names a record."""
    if isinstance(record, Closing):
        return f"closing of action {record.action}"
    what = record.rule if isinstance(record, Check) else record.kind
    shown = record.id if isinstance(record, Action) else record.id[:SHORT]
    return f"{RECORD_NAMES[type(record)]} {shown} ({what})"


def admit(records: Sequence[Record], known: Known) -> list[Record]:
    """The records that are to be written: those of one append, without what is there already.

    Raises:
        LawBroken: A record breaks a law; the message names the record and what it lacks.
    """
    together = {item.id: RECORD_NAMES[type(item)] for item in records if not isinstance(item, Closing)}
    made = {item for closing in records if isinstance(closing, Closing) for item in closing.made}
    before: dict[str, str] = {}
    closed: set[str] = set()
    new: list[Record] = []
    for record in records:
        if fault := own_fault(record):
            raise LawBroken(f"{label(record)}: {fault}")
        if isinstance(record, Closing):
            if record.action in closed or known.is_closed(record.action):
                raise LawBroken(f"{label(record)}: the action is closed already")
            closed.add(record.action)
        else:
            there = record.id in before or known.name_of(record.id) is not None
            if there and isinstance(record, Action):
                raise LawBroken(f"{label(record)}: an action is opened once, and this one is in the ledger")
            before[record.id] = RECORD_NAMES[type(record)]
            if there:
                continue
            if isinstance(record, Artifact) and record.id not in made:
                raise LawBroken(f"{label(record)}: no closing in the same append made it")
        for need in references(record):
            found = (before if need.earlier else together).get(need.id) or known.name_of(need.id)
            if found != need.name:
                seen = f"is {found} there" if found else "is not in the ledger"
                raise LawBroken(
                    f"{label(record)}: its {need.role} {need.id[:SHORT]!r} must be a known {need.name}, "
                    f"but {seen}"
                )
        new.append(record)
    return new
