"""Routes of records: Checks, Actions, artifacts, incidents, and the ledger as it is."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from trimtab.atoms.action import Action
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check
from trimtab.atoms.entry import RECORD_NAMES
from trimtab.atoms.error import NotThere
from trimtab.engine.store import Store
from trimtab.views.account import record_account
from trimtab.views.incident import Incident
from trimtab.views.memory import Memory
from trimtab.views.timeline import Event
from trimtab.web.access.permission import Permission
from trimtab.web.api.page_mark import mark_of, place_of
from trimtab.web.api.question import ActionQuery, ArtifactQuery, CheckQuery, IncidentQuery, PageQuery
from trimtab.web.api.view_answer import (
    ActionAnswer,
    ActionPage,
    ArtifactPage,
    CheckPage,
    EntryAnswer,
    EntryPage,
    IncidentPage,
    RecordAnswer,
)
from trimtab.web.api.view_route import reading
from trimtab.web.route import Call, Route

Some = TypeVar("Some")
#: Entries that are looked through for one page.
_MOST_READ = 20_000


def record_routes(memory: Memory) -> list[Route]:
    """Reading records, a page at a time."""
    ledger = _Ledger(memory.store)
    read = Permission.READ
    at = "/api/v1"
    return [
        Route(
            "GET",
            f"{at}/checks",
            read,
            reading(memory, _checks),
            "The newest 5,000 Checks, newest first; older ones are among the entries.",
            query=CheckQuery,
            answer=CheckPage,
        ),
        Route(
            "GET",
            f"{at}/actions",
            read,
            reading(memory, _actions),
            "The newest 20,000 Actions with how they ended, newest first; older ones are among the entries.",
            query=ActionQuery,
            answer=ActionPage,
        ),
        Route(
            "GET",
            f"{at}/incidents",
            read,
            reading(memory, _incidents),
            "Alerts, roll-backs and failures, newest first.",
            query=IncidentQuery,
            answer=IncidentPage,
        ),
        Route(
            "GET",
            f"{at}/artifacts",
            read,
            ledger.artifacts,
            "Artifacts, oldest first.",
            query=ArtifactQuery,
            answer=ArtifactPage,
        ),
        Route(
            "GET",
            f"{at}/artifacts/{{artifact}}",
            read,
            reading(memory, _artifact),
            "One artifact, with its content where it is small.",
            answer=RecordAnswer,
        ),
        Route(
            "GET",
            f"{at}/entries",
            Permission.AUDIT,
            ledger.entries,
            "Entries of the ledger, oldest first: the audit log.",
            query=PageQuery,
            answer=EntryPage,
        ),
    ]


def _checks(memory: Memory, call: Call) -> CheckPage:
    asked: CheckQuery = call.query

    def wanted(event: Event) -> bool:
        check = event.record
        return (
            isinstance(check, Check)
            and asked.verdict in (UNSET, check.verdict)
            and asked.rule in (UNSET, check.rule, check.name)
            and asked.subject in (UNSET, check.subjects.candidate, check.subjects.baseline)
        )

    events = memory.timeline.before(place_of(asked.after), checks=True)
    found, after = _page(filter(wanted, events), asked.limit, lambda event: event.number)
    return CheckPage(checks=[event.record for event in found if isinstance(event.record, Check)], after=after)


def _actions(memory: Memory, call: Call) -> ActionPage:
    asked: ActionQuery = call.query

    def wanted(event: Event) -> bool:
        action = event.record
        return (
            isinstance(action, Action)
            and asked.kind in (UNSET, action.kind)
            and asked.stage in (UNSET, action.stage)
            and asked.by in (UNSET, action.by)
            and asked.subject in (UNSET, action.subject)
        )

    events = memory.timeline.before(place_of(asked.after), checks=False)
    found, after = _page(filter(wanted, events), asked.limit, lambda event: event.number)
    return ActionPage(actions=[_ended(event) for event in found], after=after)


def _incidents(memory: Memory, call: Call) -> IncidentPage:
    asked: IncidentQuery = call.query

    def wanted(incident: Incident) -> bool:
        return (
            asked.kind in (UNSET, incident.kind)
            and asked.subject in (UNSET, incident.subject)
            and asked.open in (UNSET, incident.ended is None)
        )

    incidents = memory.incidents.before(place_of(asked.after))
    found, after = _page(filter(wanted, incidents), asked.limit, lambda incident: incident.number)
    return IncidentPage(incidents=[msgspec.structs.replace(each) for each in found], after=after)


def _artifact(memory: Memory, call: Call) -> Any:
    artifact = call.path["artifact"]
    if not isinstance(memory.store.ledger.find(artifact), Artifact):
        raise NotThere(
            f"no artifact has the id {artifact[:80]!r}: `GET /api/v1/records` takes beginnings and names"
        )
    return record_account(memory, artifact, call.permissions)


class _Ledger:
    """What is read from the ledger itself, which needs no memory and holds everything."""

    def __init__(self, store: Store) -> None:
        self._ledger = store.ledger

    def entries(self, call: Call) -> EntryPage:
        asked: PageQuery = call.query
        found = list(self._ledger.entries(after=place_of(asked.after) or 0, limit=asked.limit + 1))
        shown = found[: asked.limit]
        return EntryPage(
            entries=[
                EntryAnswer(
                    seq=entry.seq,
                    sort=RECORD_NAMES[type(entry.record)],
                    record=msgspec.to_builtins(entry.record),
                    chain=entry.chain,
                )
                for entry in shown
            ],
            after=mark_of(shown[-1].seq) if len(found) > asked.limit else "",
        )

    def artifacts(self, call: Call) -> ArtifactPage:
        asked: ArtifactQuery = call.query
        found: list[Artifact] = []
        last, read = place_of(asked.after) or 0, 0
        for entry in self._ledger.entries(after=last, limit=_MOST_READ):
            read, last = read + 1, entry.seq
            record = entry.record
            if isinstance(record, Artifact) and asked.kind in (UNSET, record.kind):
                found.append(record)
                if len(found) == asked.limit:
                    break
        whole = read < _MOST_READ and len(found) < asked.limit
        return ArtifactPage(artifacts=found, after="" if whole else mark_of(last))


def _page(found: Iterable[Some], limit: int, number: Callable[[Some], int]) -> tuple[list[Some], str]:
    """The first `limit` of what was found, and the mark of the last of them where more follow."""
    items = list(islice(found, limit + 1))
    shown = items[:limit]
    return shown, mark_of(number(shown[-1])) if len(items) > limit else ""


def _ended(event: Event) -> ActionAnswer:
    action = event.record
    assert isinstance(action, Action)
    return ActionAnswer(**msgspec.structs.asdict(action), closing=event.closing)
