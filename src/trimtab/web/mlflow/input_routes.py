"""Data and models that runs read and made, in MLflow's protocol."""

from dataclasses import dataclass
from typing import Any

import msgspec

from trimtab.atoms.run import LoggedDataset, ModelLink
from trimtab.atoms.run_event import RunEvent
from trimtab.tracking.rule import MOST_TAG_CHARACTERS
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.permission import Permission
from trimtab.web.mlflow.answer import Json
from trimtab.web.mlflow.experiment_routes import Tag, tags_of
from trimtab.web.mlflow.number import Number, missing, required, whole
from trimtab.web.mlflow.run_routes import living_run
from trimtab.web.mlflow.twin import twins
from trimtab.web.route import Call, Refused, Route

#: Bytes of the data that a run tells of: a schema of a wide table is long.
INPUT_BYTES = 16_000_000
#: Tag of models that older clients logged into a run.
HISTORY_TAG = "mlflow.log-model.history"


class Dataset(msgspec.Struct, frozen=True):
    """What a client tells of data."""

    name: str | None = None
    digest: str | None = None
    source_type: str | None = None
    source: str | None = None
    schema: str | None = None
    profile: str | None = None


class DatasetInput(msgspec.Struct, frozen=True):
    """One use of data."""

    dataset: Dataset | None = None
    tags: list[Tag] | None = None


class Link(msgspec.Struct, frozen=True):
    """A logged model."""

    model_id: str | None = None
    step: Number | None = None


class LogInputs(msgspec.Struct, frozen=True):
    """Body of `runs/log-inputs`."""

    run_id: str | None = None
    datasets: list[DatasetInput] | None = None
    models: list[Link] | None = None


class LogOutputs(msgspec.Struct, frozen=True):
    """Body of `runs/outputs`."""

    run_id: str | None = None
    models: list[Link] | None = None


class LogModel(msgspec.Struct, frozen=True):
    """Body of `runs/log-model`."""

    run_id: str | None = None
    model_json: str | None = None


@dataclass(frozen=True, slots=True)
class _Inputs:
    tracking: Tracking

    def inputs(self, call: Call) -> Json:
        body: LogInputs = call.body
        run = required(body.run_id, "run_id")
        # Of data that was told of before, the first word holds, as with MLflow.
        told = {(each.name, each.digest) for each in living_run(self.tracking, run).datasets}
        datasets: dict[tuple[str, str], LoggedDataset] = {}
        for place, used in enumerate(body.datasets or ()):
            dataset = _dataset(used, f"datasets[{place}]")
            if (key := (dataset.name, dataset.digest)) not in told:
                datasets.setdefault(key, dataset)
        event = RunEvent(owner=run, datasets=tuple(datasets.values()), models_in=_links(body.models))
        self.tracking.logbook.log(event)
        return {}

    def outputs(self, call: Call) -> Json:
        body: LogOutputs = call.body
        run = required(body.run_id, "run_id")
        if not body.models:
            raise missing("models")
        self.tracking.logbook.log(RunEvent(owner=run, models_out=_links(body.models)))
        return {}

    def model(self, call: Call) -> Json:
        run = required(call.body.run_id, "run_id")
        told = _model(required(call.body.model_json, "model_json"))
        tags = living_run(self.tracking, run).tags
        history = [each for each in _history(tags.get(HISTORY_TAG)) if each != told] + [told]
        while len(text := msgspec.json.encode(history).decode()) > MOST_TAG_CHARACTERS and len(history) > 1:
            del history[0]
        self.tracking.logbook.log(RunEvent(owner=run, tags={HISTORY_TAG: text}))
        return {}


def _dataset(used: DatasetInput, path: str) -> LoggedDataset:
    dataset = used.dataset
    if dataset is None:
        raise missing(f"{path}.dataset")
    return LoggedDataset(
        name=required(dataset.name, f"{path}.dataset.name"),
        digest=required(dataset.digest, f"{path}.dataset.digest"),
        source_type=dataset.source_type or "",
        source=dataset.source or "",
        schema=dataset.schema or "",
        profile=dataset.profile or "",
        tags=tags_of(used.tags),
    )


def _links(links: list[Link] | None) -> tuple[ModelLink, ...]:
    return tuple(
        ModelLink(
            model=required(link.model_id, f"models[{place}].model_id"),
            step=0 if link.step is None else whole(link.step, f"models[{place}].step"),
        )
        for place, link in enumerate(links or ())
    )


def _model(text: str) -> dict[str, Any]:
    try:
        model = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise Refused(400, f"model_json is not a JSON object: {error}") from error
    if lacking := {"artifact_path", "flavors", "utc_time_created", "run_id"} - set(model):
        raise Refused(400, f"model_json is missing {', '.join(sorted(lacking))}")
    return model


def _history(text: str | None) -> list[Any]:
    try:
        return msgspec.json.decode(text, type=list[Any]) if text else []
    except msgspec.DecodeError:
        # Somebody else wrote this tag; what they wrote gives way.
        return []


def input_routes(tracking: Tracking) -> list[Route]:
    """Routes under `runs/` by which runs say what they read and made."""
    of, log = _Inputs(tracking), Permission.LOG
    return [
        *twins(
            "POST",
            "/runs/log-inputs",
            log,
            of.inputs,
            "Say what a run read.",
            body=LogInputs,
            most_bytes=INPUT_BYTES,
        ),
        *twins("POST", "/runs/outputs", log, of.outputs, "Say which models a run made.", body=LogOutputs),
        *twins("POST", "/runs/log-model", log, of.model, "Say that a model was logged.", body=LogModel),
    ]
