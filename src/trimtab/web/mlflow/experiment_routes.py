"""Experiments in MLflow's protocol."""

from dataclasses import dataclass

import msgspec

from trimtab.atoms.error import Conflict, NotThere
from trimtab.atoms.run import Experiment
from trimtab.atoms.run_query import Query
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.permission import Permission
from trimtab.web.mlflow.answer import Json, experiment_answer
from trimtab.web.mlflow.number import Number, page_limit, required
from trimtab.web.mlflow.search import conditions, deleted_of, orders
from trimtab.web.mlflow.text import cut_tags
from trimtab.web.mlflow.twin import twins
from trimtab.web.route import Call, Refused, Route

#: Experiments on a page where nothing is asked for, and at most.
PAGE, MOST_A_PAGE = 1000, 50_000


class Tag(msgspec.Struct, frozen=True):
    """A name and a value; a value that is not told is empty."""

    key: str | None = None
    value: str | None = None


class NewExperiment(msgspec.Struct, frozen=True):
    """Body of `experiments/create`."""

    name: str | None = None
    artifact_location: str | None = None
    tags: list[Tag] | None = None


class ExperimentTag(msgspec.Struct, frozen=True):
    """Body of what is asked of one experiment."""

    experiment_id: str | None = None
    new_name: str | None = None
    key: str | None = None
    value: str | None = None


class WhichExperiment(msgspec.Struct, frozen=True):
    """Query of `experiments/get` and `experiments/get-by-name`."""

    experiment_id: str | None = None
    experiment_name: str | None = None


class ExperimentSearch(msgspec.Struct, frozen=True):
    """Body of `experiments/search`."""

    max_results: Number | None = None
    page_token: str | None = None
    filter: str | None = None
    order_by: list[str] | None = None
    view_type: str | int | None = None


class ExperimentQuery(msgspec.Struct, frozen=True):
    """`ExperimentSearch` in a query string."""

    max_results: str | None = None
    page_token: str | None = None
    filter: str | None = None
    order_by: list[str] = []
    view_type: str | None = None


#: Where a client wanted the files of an experiment's runs; they are kept in this store.
LOCATION_TAG = "trimtab.artifact_location"


@dataclass(frozen=True, slots=True)
class _Experiments:
    tracking: Tracking

    def create(self, call: Call) -> Json:
        body: NewExperiment = call.body
        name, tags = required(body.name, "name"), tags_of(body.tags)
        if body.artifact_location:
            # The server writes to no place that a client names, and a script that names one goes on all the same.
            tags |= cut_tags({LOCATION_TAG: body.artifact_location})
        made = self.tracking.experiments.create(name, by=call.actor, tags=tags)
        return {"experiment_id": made.id}

    def get(self, call: Call) -> Json:
        return {"experiment": experiment_answer(self._find(call.query.experiment_id))}

    def get_by_name(self, call: Call) -> Json:
        name = required(call.query.experiment_name, "experiment_name")
        return {"experiment": experiment_answer(self.tracking.experiments.named(name))}

    def search(self, call: Call) -> Json:
        asked: ExperimentSearch | ExperimentQuery = call.body or call.query or ExperimentSearch()
        page = self.tracking.experiments.search(
            Query(
                where=conditions(asked.filter, "experiments"),
                order=orders(asked.order_by, "experiments"),
                deleted=deleted_of(asked.view_type),
                limit=page_limit(asked.max_results, "max_results", PAGE, MOST_A_PAGE),
                after=asked.page_token or "",
            )
        )
        answer: Json = {"experiments": [experiment_answer(found) for found in page.items]}
        return {**answer, "next_page_token": page.after} if page.after else answer

    def _find(self, experiment: str | None) -> Experiment:
        return self.tracking.experiments.find(experiment_id(experiment))


@dataclass(frozen=True, slots=True)
class _Changes:
    tracking: Tracking

    def delete(self, call: Call) -> Json:
        experiment = self._find(call.body.experiment_id)
        if experiment.deleted:
            raise NotThere(f"experiment {experiment.id} is deleted already")
        self.tracking.experiments.change(experiment.id, by=call.actor, deleted=True)
        return {}

    def restore(self, call: Call) -> Json:
        experiment = self._find(call.body.experiment_id)
        if not experiment.deleted:
            raise NotThere(f"experiment {experiment.id} is not deleted: there is nothing to restore")
        self.tracking.experiments.change(experiment.id, by=call.actor, deleted=False)
        return {}

    def rename(self, call: Call) -> Json:
        name = required(call.body.new_name, "new_name")
        experiment = self._find(call.body.experiment_id)
        if experiment.deleted:
            raise Refused(
                400, f"experiment {experiment.id} is deleted: restore it, then rename it", "INVALID_STATE"
            )
        self.tracking.experiments.change(experiment.id, by=call.actor, name=name)
        return {}

    def set_tag(self, call: Call) -> Json:
        key = required(call.body.key, "key")
        experiment = self._living(call.body.experiment_id)
        if experiment.tags.get(key) != (value := call.body.value or ""):
            self.tracking.experiments.change(experiment.id, by=call.actor, tags={key: value})
        return {}

    def delete_tag(self, call: Call) -> Json:
        key = required(call.body.key, "key")
        experiment = self._living(call.body.experiment_id)
        if key not in experiment.tags:
            raise NotThere(f"experiment {experiment.id} has no tag {key[:60]!r}")
        self.tracking.experiments.change(experiment.id, by=call.actor, tags={key: None})
        return {}

    def _find(self, experiment: str | None) -> Experiment:
        return self.tracking.experiments.find(experiment_id(experiment))

    def _living(self, experiment: str | None) -> Experiment:
        found = self._find(experiment)
        if found.deleted:
            raise Conflict(f"experiment {found.id} is deleted: restore it first")
        return found


def experiment_id(value: str | None) -> str:
    """The id of an experiment; Refused where it is missing or not of digits."""
    text = required(value, "experiment_id")
    if not (text.isascii() and text.isdigit()):
        raise Refused(400, f"experiment_id: {text[:60]!r} is not of digits")
    return text.lstrip("0") or "0"


def tags_of(tags: list[Tag] | None) -> dict[str, str]:
    """Tags by name; of one name the last."""
    return {required(tag.key, f"tags[{place}].key"): tag.value or "" for place, tag in enumerate(tags or ())}


def experiment_routes(tracking: Tracking) -> list[Route]:
    """Routes under `experiments/`."""
    of, to, read, log = _Experiments(tracking), _Changes(tracking), Permission.READ, Permission.LOG
    what = ExperimentTag
    return [
        *twins(
            "POST",
            "/experiments/create",
            log,
            of.create,
            "Make an experiment.",
            body=NewExperiment,
            conflict="RESOURCE_ALREADY_EXISTS",
        ),
        *twins("GET", "/experiments/get", read, of.get, "One experiment.", query=WhichExperiment),
        *twins(
            "GET",
            "/experiments/get-by-name",
            read,
            of.get_by_name,
            "One experiment, by its name.",
            query=WhichExperiment,
        ),
        *twins("POST", "/experiments/search", read, of.search, "Experiments.", body=ExperimentSearch),
        *twins("GET", "/experiments/search", read, of.search, "Experiments.", query=ExperimentQuery),
        *twins("POST", "/experiments/delete", log, to.delete, "Delete an experiment.", body=what),
        *twins("POST", "/experiments/restore", log, to.restore, "Restore an experiment.", body=what),
        *twins(
            "POST",
            "/experiments/update",
            log,
            to.rename,
            "Rename an experiment.",
            body=what,
            conflict="RESOURCE_ALREADY_EXISTS",
        ),
        *twins(
            "POST",
            "/experiments/set-experiment-tag",
            log,
            to.set_tag,
            "Set a tag of an experiment.",
            body=what,
        ),
        *twins(
            "POST", "/experiments/delete-experiment-tag", log, to.delete_tag, "Take a tag away.", body=what
        ),
    ]
