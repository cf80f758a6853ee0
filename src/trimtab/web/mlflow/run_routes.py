"""Runs in MLflow's protocol: their beginning, their end, and finding them."""

from dataclasses import dataclass

import msgspec

from trimtab.atoms.error import Conflict
from trimtab.atoms.run import NAME_TAG, USER_TAG, Run, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Query
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.permission import Permission
from trimtab.web.mlflow.answer import Json, run_answer, run_info
from trimtab.web.mlflow.experiment_routes import Tag, experiment_id, tags_of
from trimtab.web.mlflow.number import Number, page_limit, required, whole
from trimtab.web.mlflow.search import conditions, deleted_of, orders
from trimtab.web.mlflow.text import cut_tags
from trimtab.web.mlflow.twin import twins
from trimtab.web.route import Call, Refused, Route

#: Runs on a page where nothing is asked for, and at most.
PAGE, MOST_A_PAGE = 1000, 50_000
#: What a client says that does not know its user.
UNKNOWN_USER = "unknown"

#: Numbers of the states in MLflow's protobuf.
_STATUS = {
    1: RunStatus.RUNNING,
    2: RunStatus.SCHEDULED,
    3: RunStatus.FINISHED,
    4: RunStatus.FAILED,
    5: RunStatus.KILLED,
}


class NewRun(msgspec.Struct, frozen=True):
    """Body of `runs/create`."""

    experiment_id: str | None = None
    user_id: str | None = None
    run_name: str | None = None
    start_time: Number | None = None
    tags: list[Tag] | None = None


class RunChange(msgspec.Struct, frozen=True):
    """Body of what is asked of one run."""

    run_id: str | None = None
    run_uuid: str | None = None
    status: str | int | None = None
    end_time: Number | None = None
    run_name: str | None = None


class WhichRun(msgspec.Struct, frozen=True):
    """Query of `runs/get`."""

    run_id: str | None = None
    run_uuid: str | None = None


class RunSearch(msgspec.Struct, frozen=True):
    """Body of `runs/search`."""

    experiment_ids: list[str] | None = None
    filter: str | None = None
    run_view_type: str | int | None = None
    max_results: Number | None = None
    order_by: list[str] | None = None
    page_token: str | None = None


@dataclass(frozen=True, slots=True)
class _Runs:
    tracking: Tracking

    def create(self, call: Call) -> Json:
        body: NewRun = call.body
        given = tags_of(body.tags)
        tags, named = cut_tags(given), given.get(NAME_TAG)
        if body.run_name and named and named != body.run_name:
            raise Refused(
                400,
                f"run_name {body.run_name[:60]!r} and tag {NAME_TAG} {named[:60]!r} are two names: give one",
            )
        if body.run_name:
            tags |= cut_tags({NAME_TAG: body.run_name})
        elif not named:
            tags.pop(NAME_TAG, None)
        if body.user_id and body.user_id != UNKNOWN_USER:
            tags.setdefault(USER_TAG, body.user_id)
        run = self.tracking.runs.open(
            experiment_id(body.experiment_id or "0"),
            by=call.actor,
            started_ms=whole(body.start_time, "start_time") if body.start_time else None,
            tags=tags,
        )
        return {"run": run_answer(run)}

    def get(self, call: Call) -> Json:
        return {"run": run_answer(self.tracking.runs.find(run_id(call.query)))}

    def update(self, call: Call) -> Json:
        body: RunChange = call.body
        run = run_id(body)
        status = None if body.status is None else _status(body.status)
        ended = None if body.end_time is None else whole(body.end_time, "end_time")
        if self.tracking.runs.find(run).head.deleted:
            raise Conflict(f"run {run} is deleted: restore it first")
        if body.run_name:
            self.tracking.logbook.log(RunEvent(owner=run, tags={**cut_tags({NAME_TAG: body.run_name})}))
        if status is not None or ended is not None:
            self._end(run, status, ended, call)
        return {"run_info": run_info(self.tracking.runs.find(run))}

    def _end(self, run: str, asked: RunStatus | None, ended: int | None, call: Call) -> None:
        head = self.tracking.runs.find(run).head
        status = head.status if asked is None else asked
        if not status.ended:
            if asked is None:
                raise Refused(400, f"end_time: run {run} is {status}: only a run that ended has an end")
            # A client that resumes a run sends its old end with it, because its protocol wants one.
            self.tracking.runs.resume(run, by=call.actor)
        elif status != head.status or (ended is not None and ended != head.ended_ms):
            self.tracking.runs.close(run, status, by=call.actor, ended_ms=ended)

    def delete(self, call: Call) -> Json:
        self.tracking.runs.set_deleted(run_id(call.body), True, by=call.actor)
        return {}

    def restore(self, call: Call) -> Json:
        self.tracking.runs.set_deleted(run_id(call.body), False, by=call.actor)
        return {}

    def search(self, call: Call) -> Json:
        body: RunSearch = call.body
        experiments = tuple(experiment_id(experiment) for experiment in body.experiment_ids or ())
        query = Query(
            experiments=experiments,
            where=conditions(body.filter, "runs"),
            order=orders(body.order_by, "runs"),
            deleted=deleted_of(body.run_view_type),
            limit=page_limit(body.max_results, "max_results", PAGE, MOST_A_PAGE),
            after=body.page_token or "",
        )
        if not experiments:
            # To MLflow no experiment is none of them; to the index it is all.
            return {}
        page = self.tracking.runs.search(query)
        answer: Json = {"runs": [run_answer(run) for run in page.items]} if page.items else {}
        return {**answer, "next_page_token": page.after} if page.after else answer


def run_id(asked: RunChange | WhichRun) -> str:
    """The id of the run that is meant, under its new or its old name; Refused where there is none."""
    return required(asked.run_id or asked.run_uuid, "run_id")


def living_run(tracking: Tracking, run: str) -> Run:
    """The run with this id; NotThere, or Conflict where it is deleted."""
    found = tracking.runs.find(run)
    if found.head.deleted:
        raise Conflict(f"run {run} is deleted: restore it first")
    return found


def _status(value: str | int) -> RunStatus:
    if isinstance(value, int):
        if value in _STATUS:
            return _STATUS[value]
    elif value in RunStatus.__members__:
        return RunStatus(value)
    raise Refused(400, f"status: {str(value)[:60]!r} is none of {', '.join(RunStatus.__members__)}")


def run_routes(tracking: Tracking) -> list[Route]:
    """Routes under `runs/` that do not log."""
    of, read, log = _Runs(tracking), Permission.READ, Permission.LOG
    return [
        *twins("POST", "/runs/create", log, of.create, "Begin a run.", body=NewRun),
        *twins("GET", "/runs/get", read, of.get, "One run.", query=WhichRun),
        *twins("POST", "/runs/update", log, of.update, "End a run, or rename it.", body=RunChange),
        *twins("POST", "/runs/delete", log, of.delete, "Delete a run.", body=RunChange),
        *twins("POST", "/runs/restore", log, of.restore, "Restore a run.", body=RunChange),
        *twins("POST", "/runs/search", read, of.search, "Runs.", body=RunSearch),
    ]
