"""Routes of runs: their beginning, their end, and finding them."""

from typing import Any

from trimtab.atoms.run import RunStatus
from trimtab.atoms.run_account import RunAccount, RunPage, account_of
from trimtab.atoms.run_query import Query
from trimtab.tracking.filter import parse_filter, parse_order
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.permission import Permission
from trimtab.web.api.answer import Count
from trimtab.web.api.body import EndBody, RunBody
from trimtab.web.api.experiment_route import experiment_for_run, experiment_meant
from trimtab.web.api.question import RunQuery, RunsWanted
from trimtab.web.api.repeat import Repeats
from trimtab.web.route import Call, Route


def run_routes(tracking: Tracking, repeats: Repeats) -> list[Route]:
    """Reading and writing runs."""
    runs, found = _Runs(tracking, repeats), _Search(tracking)
    at = "/api/v1/runs"
    one = f"{at}/{{run}}"
    read, log = Permission.READ, Permission.LOG
    return [
        Route("GET", at, read, found.search, "Runs, filtered and in order.", query=RunQuery, answer=RunPage),
        Route(
            "GET",
            f"{at}/count",
            read,
            found.count,
            "How many runs there are.",
            query=RunsWanted,
            answer=Count,
        ),
        Route("POST", at, log, runs.open, "Begin a run.", body=RunBody, answer=RunAccount),
        Route("GET", one, read, found.find, "One run.", answer=RunAccount),
        Route("POST", f"{one}/end", log, runs.end, "End a run.", body=EndBody, answer=RunAccount),
        Route("POST", f"{one}/resume", log, runs.resume, "Let a run that ended go on.", answer=RunAccount),
        Route(
            "DELETE", one, log, runs.delete, "Delete a run, so that it can be restored.", answer=RunAccount
        ),
        Route("POST", f"{one}/restore", log, runs.restore, "Restore a deleted run.", answer=RunAccount),
    ]


class _Search:
    def __init__(self, tracking: Tracking) -> None:
        self._tracking = tracking

    def search(self, call: Call) -> RunPage:
        asked: RunQuery = call.query
        page = self._tracking.runs.search(
            Query(
                experiments=self._experiments(asked),
                where=parse_filter(asked.filter),
                order=parse_order(asked.order),
                deleted=asked.deleted,
                limit=asked.limit,
                after=asked.after,
            )
        )
        return RunPage(runs=tuple(map(account_of, page.items)), after=page.after)

    def count(self, call: Call) -> Count:
        asked: RunsWanted = call.query
        query = Query(
            experiments=self._experiments(asked), where=parse_filter(asked.filter), deleted=asked.deleted
        )
        return Count(count=self._tracking.runs.count(query))

    def find(self, call: Call) -> RunAccount:
        return account_of(self._tracking.runs.find(call.path["run"]))

    def _experiments(self, asked: RunsWanted) -> tuple[str, ...]:
        return tuple(experiment_meant(self._tracking, text).id for text in asked.experiment)


class _Runs:
    def __init__(self, tracking: Tracking, repeats: Repeats) -> None:
        self._tracking, self._repeats = tracking, repeats

    def open(self, call: Call) -> Any:
        body: RunBody = call.body

        def opened(seed: str) -> RunAccount:
            experiment = experiment_for_run(self._tracking, body.experiment, by=call.actor)
            run = self._tracking.runs.open(
                experiment,
                by=call.actor,
                run=body.id or seed,
                started_ms=body.started_ms,
                tags=body.tags,
                parameters=body.parameters,
            )
            return account_of(run)

        return self._repeats.answer(call, "open run", opened)

    def end(self, call: Call) -> Any:
        body: EndBody = call.body

        def ended(seed: str) -> RunAccount:
            run = self._tracking.runs.close(
                call.path["run"],
                RunStatus(body.status),
                by=call.actor,
                ended_ms=body.ended_ms,
                note=body.note,
            )
            return account_of(run)

        return self._repeats.answer(call, "end run", ended)

    def resume(self, call: Call) -> Any:
        return self._repeats.answer(
            call,
            "resume run",
            lambda seed: account_of(self._tracking.runs.resume(call.path["run"], by=call.actor)),
        )

    def delete(self, call: Call) -> Any:
        return self._set_deleted(call, True)

    def restore(self, call: Call) -> Any:
        return self._set_deleted(call, False)

    def _set_deleted(self, call: Call, deleted: bool) -> Any:
        return self._repeats.answer(
            call,
            "delete run" if deleted else "restore run",
            lambda seed: account_of(
                self._tracking.runs.set_deleted(call.path["run"], deleted, by=call.actor)
            ),
        )
