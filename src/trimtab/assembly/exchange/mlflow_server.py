"""An MLflow store behind its server, read by the protocol that its clients speak."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from trimtab.assembly.exchange.foreign import (
    ForeignExperiment,
    ForeignFile,
    ForeignModel,
    ForeignModelPoints,
    ForeignRegistered,
    ForeignRun,
    ForeignVersion,
    Overview,
)
from trimtab.assembly.exchange.mlflow_rest import Json, Rest, artifact_path
from trimtab.assembly.exchange.portion import RUNS_AT_ONCE, portions
from trimtab.atoms.error import NotThere, StoreError, UsageError
from trimtab.atoms.metric_point import Points
from trimtab.atoms.run import LoggedDataset, ModelLink, ModelStatus, RunStatus
from trimtab.engine.side_by_side import side_by_side
from trimtab.tracking.registry.registered_model import Stage
from trimtab.tracking.registry.rule import PROMPT_TAG

_POINTS_AT_ONCE, _ITEMS = 25_000, 1000
_MODELS_AT_ONCE = 50
#: Questions that are asked at once.
THREADS = 8
_MODEL_STATUS = {
    "LOGGED_MODEL_READY": ModelStatus.READY,
    "LOGGED_MODEL_UPLOAD_FAILED": ModelStatus.FAILED,
}
#: Places of files that the server reads itself, by the ids of their owners.
_RUN, _MODEL = "run:", "model:"

Answer = TypeVar("Answer")


class ServerStore:
    """Reads by searches and downloads alone; nothing is changed there."""

    def __init__(self, rest: Rest) -> None:
        self._rest, self.shown = rest, rest.shown
        self.unread: dict[Path, str] = {}

    def experiments(self) -> list[ForeignExperiment]:
        asked = {"max_results": _ITEMS, "view_type": "ALL"}
        found = self._rest.pages(self._rest.post, "experiments/search", "experiments", **asked)
        return [
            ForeignExperiment(
                id=each["experiment_id"],
                name=each["name"],
                deleted=each.get("lifecycle_stage") == "deleted",
                created_ms=int(each.get("creation_time") or 0),
                updated_ms=int(each.get("last_update_time") or each.get("creation_time") or 0),
                tags=_pairs(each.get("tags")),
            )
            for each in found
        ]

    def runs(self) -> Iterator[list[ForeignRun]]:
        for experiment in self.experiments():
            yield from self.of_experiment(experiment.id)

    def of_experiment(self, experiment: str) -> Iterator[list[ForeignRun]]:
        """All runs of one experiment, some at a time."""
        asked = {
            "experiment_ids": [experiment],
            "run_view_type": "ALL",
            "max_results": RUNS_AT_ONCE,
            "order_by": ["attributes.start_time ASC"],
        }
        token = ""
        while True:
            more = {"page_token": token} if token else {}
            page = self._rest.post("runs/search", **asked, **more)
            yield from portions(side_by_side(self._run, page.get("runs", ()), threads=THREADS))
            token = page.get("next_page_token") or ""
            if not token:
                return

    def models(self) -> list[ForeignModel]:
        found: list[ForeignModel] = []
        for experiment in self.experiments():
            asked = {"experiment_ids": [experiment.id], "max_results": _MODELS_AT_ONCE}
            try:
                pages = self._rest.pages(self._rest.post, "logged-models/search", "models", **asked)
                found += [_model(each) for each in pages]
            except NotThere:  # a server of MLflow 2 has none
                return []
        return found

    def registered(self) -> list[ForeignRegistered]:
        prompts = f"tags.`{PROMPT_TAG}` = 'true'"
        ask, asked = self._rest.get, {"max_results": _ITEMS}
        path, items = "registered-models/search", "registered_models"
        found = list(self._rest.pages(ask, path, items, **asked))
        found += self._rest.pages(ask, path, items, filter=prompts, **asked)
        return [self._registered(each) for each in found]

    def files(self, place: str) -> list[ForeignFile]:
        if place.startswith(_RUN):
            found = self._files_of_run(place.removeprefix(_RUN), "")
        elif place.startswith(_MODEL):
            found = self._files_of_model(place.removeprefix(_MODEL), "")
        elif urlsplit(place).scheme == "mlflow-artifacts":
            found = self._files_under(urlsplit(place).path.strip("/"), "")
        else:
            raise UsageError(f"{place[:200]!r} is not handed out by the server")
        return self._refused(lambda: sorted(found, key=lambda file: file.path))

    def overview(self) -> Overview:
        return Overview(0, {})

    def _run(self, told: Json) -> ForeignRun:
        info, data = told["info"], told.get("data", {})
        ended = info.get("end_time")
        points = Points()
        for metric in data.get("metrics", ()):
            asked = {"run_id": info["run_id"], "metric_key": metric["key"], "max_results": _POINTS_AT_ONCE}
            for each in self._rest.pages(self._rest.get, "metrics/get-history", "metrics", **asked):
                _add(points, each)
        return ForeignRun(
            id=info["run_id"],
            experiment=info["experiment_id"],
            status=RunStatus(info["status"]),
            deleted=info.get("lifecycle_stage") == "deleted",
            started_ms=int(info.get("start_time") or 0),
            ended_ms=int(ended) if ended else None,
            parameters=_pairs(data.get("params")),
            tags=_pairs(data.get("tags")),
            points=points,
            datasets=tuple(_dataset(each) for each in told.get("inputs", {}).get("dataset_inputs", ())),
            models_in=_links(told.get("inputs", {}).get("model_inputs", ())),
            models_out=_links(told.get("outputs", {}).get("model_outputs", ())),
            place=_reached(info.get("artifact_uri") or "", f"{_RUN}{info['run_id']}"),
        )

    def _refused(self, ask: Callable[[], Answer]) -> Answer:
        """The answer; UsageError where the server does not give this one, but is there."""
        try:
            return ask()
        except NotThere as error:
            raise UsageError(str(error)) from error
        except StoreError as error:
            self._rest.post("experiments/search", max_results=1)
            raise UsageError(str(error)) from error

    def _file(self, path: str, where: str, asked: Mapping[str, str] | None = None) -> ForeignFile:
        def read() -> Iterator[bytes]:
            pieces = self._rest.read(where, asked)
            while piece := self._refused(lambda: next(pieces, b"")):
                yield piece

        return ForeignFile(path=path, read=read)

    def _files_of_model(self, model: str, folder: str) -> Iterator[ForeignFile]:
        asked = {"artifact_directory_path": folder} if folder else {}
        listed = self._rest.get(f"logged-models/{model}/artifacts/directories", **asked)
        for each in listed.get("files", ()):
            if each.get("is_dir"):
                yield from self._files_of_model(model, each["path"])
            else:
                where = f"/ajax-api/2.0/mlflow/logged-models/{model}/artifacts/files"
                yield self._file(each["path"], where, {"artifact_file_path": each["path"]})

    def _files_of_run(self, run: str, folder: str) -> Iterator[ForeignFile]:
        """Of a server that does not hand out files by their place: it reads them itself."""
        asked = {"run_id": run, **({"path": folder} if folder else {})}
        for each in self._rest.pages(self._rest.get, "artifacts/list", "files", **asked):
            if each.get("is_dir"):
                yield from self._files_of_run(run, each["path"])
            else:
                yield self._file(each["path"], "/get-artifact", {"run_uuid": run, "path": each["path"]})

    def _files_under(self, root: str, below: str) -> Iterator[ForeignFile]:
        where = f"{root}/{below}" if below else root
        listed = self._rest.send("GET", "/api/2.0/mlflow-artifacts/artifacts", {"path": where})
        for each in listed.get("files", ()):
            path = f"{below}/{each['path']}" if below else each["path"]
            if each.get("is_dir"):
                yield from self._files_under(root, path)
            else:
                yield self._file(path, artifact_path(f"/{root}/{path}"))

    def _registered(self, told: Json) -> ForeignRegistered:
        name = told["name"]
        quoted = name.replace("'", "''")
        text = f"name = '{quoted}'"
        if _pairs(told.get("tags")).get(PROMPT_TAG) == "true":
            text += f" AND tags.`{PROMPT_TAG}` = 'true'"
        asked = {"filter": text, "max_results": 10_000}
        versions = self._rest.pages(self._rest.get, "model-versions/search", "model_versions", **asked)
        return ForeignRegistered(
            name=name,
            description=told.get("description") or "",
            created_ms=int(told["creation_timestamp"]),
            updated_ms=int(told["last_updated_timestamp"]),
            tags=_pairs(told.get("tags")),
            aliases={each["alias"]: int(each["version"]) for each in told.get("aliases", ())},
            versions=sorted((self._version(each) for each in versions), key=lambda each: each.number),
        )

    def _version(self, told: Json) -> ForeignVersion:
        try:
            which = {"name": told["name"], "version": told["version"]}
            place = str(self._rest.get("model-versions/get-download-uri", **which).get("artifact_uri") or "")
        except NotThere:
            place = ""
        return ForeignVersion(
            number=int(told["version"]),
            source=told.get("source") or "",
            run=told.get("run_id") or "",
            logged_model=told.get("model_id") or "",
            run_link=told.get("run_link") or "",
            description=told.get("description") or "",
            stage=Stage(told.get("current_stage") or Stage.NONE),
            created_ms=int(told["creation_timestamp"]),
            updated_ms=int(told["last_updated_timestamp"]),
            tags=_pairs(told.get("tags")),
            place=place,
        )


def _reached(uri: str, owner: str) -> str:
    """The address itself where the server hands out what is at one; else the owner, whose files it reads."""
    return uri if urlsplit(uri).scheme == "mlflow-artifacts" else owner


def _pairs(told: Any) -> dict[str, str]:
    return {each["key"]: each.get("value", "") for each in told or ()}


def _links(told: Any) -> tuple[ModelLink, ...]:
    return tuple(ModelLink(model=each["model_id"], step=int(each.get("step") or 0)) for each in told)


def _add(points: Points, told: Json) -> None:
    step, at_us = int(told.get("step") or 0), int(told["timestamp"]) * 1000
    points.add(told["key"], step, float(told["value"]), at_us)


def _dataset(told: Json) -> LoggedDataset:
    dataset = told["dataset"]
    return LoggedDataset(
        name=dataset["name"],
        digest=dataset["digest"],
        source_type=dataset.get("source_type", ""),
        source=dataset.get("source", ""),
        schema=dataset.get("schema") or "",
        profile=dataset.get("profile") or "",
        tags=_pairs(told.get("tags")),
    )


def _model(told: Json) -> ForeignModel:
    info, data = told["info"], told.get("data", {})
    groups: dict[tuple[str, str, str], Points] = defaultdict(Points)
    for each in data.get("metrics", ()):
        where = each.get("run_id") or "", each.get("dataset_name") or "", each.get("dataset_digest") or ""
        _add(groups[where], each)
    return ForeignModel(
        id=info["model_id"],
        experiment=info["experiment_id"],
        name=info["name"],
        type=info.get("model_type") or "",
        run=info.get("source_run_id") or "",
        status=_MODEL_STATUS.get(info.get("status"), ModelStatus.PENDING),
        note=info.get("status_message") or "",
        created_ms=int(info["creation_timestamp_ms"]),
        updated_ms=int(info["last_updated_timestamp_ms"]),
        parameters=_pairs(data.get("params")),
        tags=_pairs(info.get("tags")),
        points=[
            ForeignModelPoints(run=run, dataset=(name, digest), points=points)
            for (run, name, digest), points in groups.items()
        ],
        place=_reached(info.get("artifact_uri") or "", f"{_MODEL}{info['model_id']}"),
    )
