"""Routes of experiments."""

from typing import Any

import msgspec

from trimtab.atoms.actor import Actor
from trimtab.atoms.error import Conflict, NotThere
from trimtab.atoms.run import Experiment
from trimtab.atoms.run_query import Deleted, Query
from trimtab.tracking.filter import parse_filter, parse_order
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.permission import Permission
from trimtab.web.api.answer import ExperimentPage
from trimtab.web.api.body import ExperimentBody, ExperimentChange
from trimtab.web.api.question import Limit
from trimtab.web.api.repeat import Repeats
from trimtab.web.route import Call, Route


class ExperimentQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which experiments."""

    #: As `name LIKE 'flights%' AND tags.team = 'delays'`; empty: all.
    filter: str = ""
    #: As `name ASC`, several times; the newest first where it is left out.
    order: list[str] = []
    deleted: Deleted = Deleted.LEFT_OUT
    limit: Limit = 100
    #: `after` of the page before.
    after: str = ""


def experiment_routes(tracking: Tracking, repeats: Repeats) -> list[Route]:
    """Reading and writing experiments."""
    asked = _Experiments(tracking, repeats)
    at = "/api/v1/experiments"
    return [
        Route(
            "GET",
            at,
            Permission.READ,
            asked.search,
            "Experiments, filtered and in order.",
            query=ExperimentQuery,
            answer=ExperimentPage,
        ),
        Route(
            "POST",
            at,
            Permission.LOG,
            asked.create,
            "Make an experiment.",
            body=ExperimentBody,
            answer=Experiment,
        ),
        Route(
            "GET",
            f"{at}/{{experiment}}",
            Permission.READ,
            asked.find,
            "One experiment, by its id or its name.",
            answer=Experiment,
        ),
        Route(
            "PATCH",
            f"{at}/{{experiment}}",
            Permission.LOG,
            asked.change,
            "Change an experiment's name or tags, delete it or restore it.",
            body=ExperimentChange,
            answer=Experiment,
        ),
    ]


def experiment_meant(tracking: Tracking, text: str) -> Experiment:
    """The experiment with this id, or else with this name; NotThere."""
    if text.isascii() and text.isdigit():
        try:
            return tracking.experiments.find(text)
        except NotThere:
            pass
    try:
        return tracking.experiments.named(text)
    except NotThere as error:
        raise NotThere(f"no experiment has the id or the name {text[:100]!r}") from error


def experiment_for_run(tracking: Tracking, text: str, *, by: Actor) -> str:
    """Id of the experiment that a run shall be in; one of a new name is made, unless it is digits only."""
    try:
        return experiment_meant(tracking, text).id
    except NotThere:
        if text.isascii() and text.isdigit():
            raise
        return tracking.experiments.get_or_create(text, by=by).id


class _Experiments:
    def __init__(self, tracking: Tracking, repeats: Repeats) -> None:
        self._tracking, self._repeats = tracking, repeats

    def search(self, call: Call) -> ExperimentPage:
        asked: ExperimentQuery = call.query
        page = self._tracking.experiments.search(
            Query(
                where=parse_filter(asked.filter, "experiments"),
                order=parse_order(asked.order, "experiments"),
                deleted=asked.deleted,
                limit=asked.limit,
                after=asked.after,
            )
        )
        return ExperimentPage(experiments=page.items, after=page.after)

    def find(self, call: Call) -> Experiment:
        return experiment_meant(self._tracking, call.path["experiment"])

    def create(self, call: Call) -> Any:
        body: ExperimentBody = call.body

        def made(seed: str) -> Experiment:
            named = str(int(seed[:14], 16)) if seed else ""
            try:
                return self._tracking.experiments.create(body.name, by=call.actor, tags=body.tags, id=named)
            except Conflict:
                there = self._mine(named, body.name)
                if there is None:
                    raise
                return there

        return self._repeats.answer(call, "create experiment", made)

    def change(self, call: Call) -> Any:
        body: ExperimentChange = call.body
        experiment = experiment_meant(self._tracking, call.path["experiment"]).id

        def changed(seed: str) -> Experiment:
            return self._tracking.experiments.change(
                experiment, by=call.actor, name=body.name, deleted=body.deleted, tags=body.tags
            )

        return self._repeats.answer(call, "change experiment", changed)

    def _mine(self, named: str, name: str) -> Experiment | None:
        """What a call under the same key made, before its answer was kept."""
        if not named:
            return None
        try:
            found = self._tracking.experiments.find(named)
        except NotThere:
            return None
        return found if found.name == name else None
