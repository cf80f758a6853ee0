"""Giving back to an MLflow server by its protocol: it gives ids of its own, and tags say the ones from here."""

import math
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from trimtab.assembly.exchange.account import Account
from trimtab.assembly.exchange.file_intake import digest_of
from trimtab.assembly.exchange.foreign import ForeignExperiment, ForeignModel, ForeignRun, ForeignStore
from trimtab.assembly.exchange.mlflow_rest import Json, Rest, artifact_path
from trimtab.assembly.exchange.mlflow_server import ServerStore
from trimtab.atoms.error import NotThere
from trimtab.atoms.metric_point import Points
from trimtab.atoms.run import NAME_TAG, PARENT_TAG, USER_TAG, ModelStatus
from trimtab.engine.side_by_side import side_by_side

#: Tags that hold the id that a run or a logged model has here.
RUN_TAG, MODEL_TAG = "trimtab.run_id", "trimtab.model_id"
#: What MLflow's servers take at once.
_POINTS, _TEXTS = 1000, 100
THREADS = 8
_ENDED = {ModelStatus.READY: "LOGGED_MODEL_READY", ModelStatus.FAILED: "LOGGED_MODEL_UPLOAD_FAILED"}


class ServerTarget:
    """Writes experiments, runs and logged models; what the server has already is not written again."""

    def __init__(self, rest: Rest, source: ForeignStore, account: Account) -> None:
        self._rest, self._source, self._account = rest, source, account
        self._reader = ServerStore(rest)
        #: Ids there by ids here.
        self.experiment_ids: dict[str, str] = {}
        self.run_ids: dict[str, str] = {}
        self.model_ids: dict[str, str] = {}
        #: Where the files of a run or a logged model are there.
        self.places: dict[str, str] = {}

    def experiments(self, experiments: list[ForeignExperiment]) -> None:
        """Make experiments that are missing, and learn what was given before."""
        for experiment in experiments:
            try:
                asked = {"experiment_name": experiment.name}
                there = self._rest.get("experiments/get-by-name", **asked)["experiment"]
                self.experiment_ids[experiment.id] = there["experiment_id"]
            except NotThere:
                said = {"name": experiment.name, "tags": _pairs(experiment.tags)}
                self.experiment_ids[experiment.id] = self._rest.post("experiments/create", **said)[
                    "experiment_id"
                ]
                self._account.took("experiments")
            self._learn(self.experiment_ids[experiment.id])

    def delete_experiments(self, experiments: list[ForeignExperiment]) -> None:
        """Delete those that are deleted here: at last, as nothing can be logged to them afterwards."""
        for experiment in experiments:
            id = self.experiment_ids[experiment.id]
            there = self._rest.get("experiments/get", experiment_id=id)["experiment"]
            if experiment.deleted and there.get("lifecycle_stage") != "deleted":
                self._rest.post("experiments/delete", experiment_id=id)

    def begin(self, runs: list[ForeignRun]) -> None:
        """Begin runs that are missing. Their parents have ids there only when all have begun."""
        missing = [run for run in runs if run.id not in self.run_ids]
        for run, told in zip(missing, side_by_side(self._begin, missing, threads=THREADS), strict=True):
            self._know(run.id, told["run"]["info"])
        self._account.took("runs", len(missing))

    def models(self, models: list[ForeignModel]) -> None:
        """Make logged models that are missing, with their files; their runs have begun."""
        for model in models:
            if model.id not in self.model_ids:
                self._model(model)

    def finish(self, runs: list[ForeignRun]) -> None:
        """Log what runs logged, end them, and delete those that are deleted here."""
        list(side_by_side(self._finish, runs, threads=THREADS))

    def measure(self, models: list[ForeignModel]) -> None:
        """Log what was measured on logged models, by the runs that measured it, before these end."""
        for model in models:
            for measured in model.points:
                if measured.run in self.run_ids:
                    name, digest = measured.dataset
                    told = {"model_id": self.model_ids[model.id]}
                    told |= {"dataset_name": name, "dataset_digest": digest} if name else {}
                    points = [{**each, **told} for each in _metrics(measured.points)]
                    self._rest.post("runs/log-batch", run_id=self.run_ids[measured.run], metrics=points)

    def _learn(self, experiment: str) -> None:
        asked = {
            "experiment_ids": [experiment],
            "run_view_type": "ALL",
            "max_results": 1000,
            "filter": f"tags.`{RUN_TAG}` LIKE '%'",
        }
        for run in self._rest.pages(self._rest.post, "runs/search", "runs", **asked):
            tags = {tag["key"]: tag.get("value", "") for tag in run["data"].get("tags", ())}
            self._know(tags[RUN_TAG], run["info"])
        searched = {"experiment_ids": [experiment], "max_results": 50}
        try:
            for model in self._rest.pages(self._rest.post, "logged-models/search", "models", **searched):
                tags = {tag["key"]: tag["value"] for tag in model["info"].get("tags", ())}
                if MODEL_TAG in tags:
                    self._know_model(tags[MODEL_TAG], model["info"])
        except NotThere:  # MLflow 2 has none
            return

    def _know(self, run: str, info: Json) -> None:
        self.run_ids[run], self.places[run] = info["run_id"], info["artifact_uri"]

    def _know_model(self, model: str, info: Json) -> None:
        self.model_ids[model], self.places[model] = info["model_id"], info["artifact_uri"]

    def _begin(self, run: ForeignRun) -> Json:
        tags = {key: value for key, value in run.tags.items() if key != PARENT_TAG}
        tags[RUN_TAG] = run.id
        first = dict(islice(tags.items(), _TEXTS - 1)) | {RUN_TAG: run.id}
        return self._rest.post(
            "runs/create",
            experiment_id=self.experiment_ids[run.experiment],
            user_id=run.tags.get(USER_TAG, ""),
            run_name=run.tags.get(NAME_TAG, ""),
            start_time=run.started_ms,
            tags=_pairs(first),
        )

    def _finish(self, run: ForeignRun) -> None:
        id = self.run_ids[run.id]
        told = self._rest.get("runs/get", run_id=id)["run"]
        if told["info"].get("lifecycle_stage") == "deleted":
            return
        begun = told["info"]["status"] == "RUNNING"
        if self._log(run, id, told.get("data", {}), begun=begun):
            self._links(run, id)
        self._files(run.id, run.place)
        if run.status.ended and told["info"]["status"] != run.status.value:
            ended = {} if run.ended_ms is None else {"end_time": run.ended_ms}
            self._rest.post("runs/update", run_id=id, status=run.status.value, **ended)
        if run.deleted:
            self._rest.post("runs/delete", run_id=id)

    def _log(self, run: ForeignRun, id: str, data: Json, *, begun: bool) -> bool:
        """Log what differs; False where nothing did.

        Args:
            begun: Whether the run goes on there: points of a metric may then have been sent in part, and all are sent
                again, which the server knows for the same ones.
        """
        known = {
            kind: {each["key"]: each.get("value") for each in data.get(kind, ())}
            for kind in ("params", "tags")
        }
        parameters = {
            key: value for key, value in run.parameters.items() if known["params"].get(key) != value
        }
        tags = {key: value for key, value in self.tags(run).items() if known["tags"].get(key) != value}
        for kind, texts in (("params", parameters), ("tags", tags)):
            for some in _some(_pairs(texts), _TEXTS):
                self._rest.post("runs/log-batch", run_id=id, **{kind: some})
        self._account.took("parameters", len(parameters))
        self._account.took("tags", len(tags))
        there = set() if begun else {each["key"] for each in data.get("metrics", ())}
        new = [each for each in _metrics(run.points) if each["key"] not in there]
        for some in _some(new, _POINTS):
            self._rest.post("runs/log-batch", run_id=id, metrics=some)
        self._account.took("points", len(new))
        return bool(begun or parameters or tags or new)

    def tags(self, run: ForeignRun) -> dict[str, str]:
        """The tags of a run as they are said there: a parent is called by its id there."""
        tags = {**run.tags, RUN_TAG: run.id}
        if PARENT_TAG in tags:
            tags[PARENT_TAG] = self.run_ids.get(tags[PARENT_TAG], tags[PARENT_TAG])
        return tags

    def _links(self, run: ForeignRun, id: str) -> None:
        datasets: list[Json] = [
            {
                "tags": _pairs(dataset.tags),
                "dataset": {
                    "name": dataset.name,
                    "digest": dataset.digest,
                    "source_type": dataset.source_type,
                    "source": dataset.source,
                    **({"schema": dataset.schema} if dataset.schema else {}),
                    **({"profile": dataset.profile} if dataset.profile else {}),
                },
            }
            for dataset in run.datasets
        ]
        models = [
            {"model_id": self.model_ids[link.model]} for link in run.models_in if link.model in self.model_ids
        ]
        if datasets or models:
            self._rest.post("runs/log-inputs", run_id=id, datasets=datasets, models=models)
            self._account.took("datasets", len(datasets))
        made = [
            {"model_id": self.model_ids[link.model], "step": link.step}
            for link in run.models_out
            if link.model in self.model_ids
        ]
        if made:
            self._rest.post("runs/outputs", run_id=id, models=made)

    def _model(self, model: ForeignModel) -> None:
        said: dict[str, Any] = {
            "experiment_id": self.experiment_ids[model.experiment],
            "name": model.name,
            "params": _pairs(model.parameters),
            "tags": _pairs({**model.tags, MODEL_TAG: model.id}),
            **({"model_type": model.type} if model.type else {}),
            **({"source_run_id": self.run_ids[model.run]} if model.run in self.run_ids else {}),
        }
        info = self._rest.post("logged-models", **said)["model"]["info"]
        self._know_model(model.id, info)
        self._account.took("logged models")
        self._files(model.id, model.place)
        if model.status in _ENDED:
            path = f"/api/2.0/mlflow/logged-models/{info['model_id']}"
            values = {"model_id": info["model_id"], "status": _ENDED[model.status]}
            self._rest.send("PATCH", path, values)

    def _files(self, owner: str, place: str) -> None:
        """Send files that are not there, or not the same; one that was sent in part is not."""
        root = self.places[owner]
        files = self._source.files(place)
        there = {file.path: file for file in self._reader.files(root)} if files else {}
        for file in files:
            if file.path in there and digest_of(there[file.path].read()) == digest_of(file.read()):
                continue
            self._rest.write(artifact_path(f"{root}/{file.path}"), file.read)
            self._account.took("files")
            self._account.took("file bytes", sum(map(len, file.read())))


def _metrics(points: Points) -> list[Json]:
    return [
        {"key": metric, "value": _number(value), "timestamp": at_us // 1000, "step": step}
        for metric, step, value, at_us in points
    ]


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _pairs(texts: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in texts.items()]


def _some(items: list[Json], most: int) -> Iterator[list[Json]]:
    for start in range(0, len(items), most):
        yield items[start : start + most]
