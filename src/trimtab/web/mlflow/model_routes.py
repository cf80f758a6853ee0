"""Logged models in MLflow's protocol: what a client stored as a model. Compared here, never loaded."""

from dataclasses import dataclass

import msgspec
from starlette.responses import Response

from trimtab.atoms.error import NotThere
from trimtab.atoms.run import LoggedModel, ModelStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.tracking.rule import require_path
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.permission import Permission
from trimtab.web.mlflow.answer import Json, model_answer, model_uri
from trimtab.web.mlflow.artifact_path import folder_of, listing
from trimtab.web.mlflow.artifact_routes import attachment
from trimtab.web.mlflow.experiment_routes import Tag, experiment_id, tags_of
from trimtab.web.mlflow.input_routes import INPUT_BYTES
from trimtab.web.mlflow.model_search import ModelSearch, found_models
from trimtab.web.mlflow.number import required
from trimtab.web.mlflow.text import cut_parameters, cut_tags
from trimtab.web.mlflow.twin import V2, Nothing, twins
from trimtab.web.route import Call, Refused, Route

#: Characters that MLflow's addresses of models give a meaning to.
_NOT_IN_NAMES = frozenset("/:.%\"'")
_STATUS: dict[str | int, ModelStatus] = {
    "LOGGED_MODEL_PENDING": ModelStatus.PENDING,
    "LOGGED_MODEL_READY": ModelStatus.READY,
    "LOGGED_MODEL_UPLOAD_FAILED": ModelStatus.FAILED,
    1: ModelStatus.PENDING,
    2: ModelStatus.READY,
    3: ModelStatus.FAILED,
}


class NewModel(msgspec.Struct, frozen=True):
    """Body of `logged-models`."""

    experiment_id: str | None = None
    name: str | None = None
    model_type: str | None = None
    source_run_id: str | None = None
    params: list[Tag] | None = None
    tags: list[Tag] | None = None


class ModelChange(msgspec.Struct, frozen=True):
    """Body of what changes a logged model."""

    status: str | int | None = None
    params: list[Tag] | None = None
    tags: list[Tag] | None = None


class WhichModel(msgspec.Struct, frozen=True):
    """Query of a logged model."""

    allow_deleted: str | None = None


class WhichFile(msgspec.Struct, frozen=True):
    """Query of a logged model's files."""

    artifact_directory_path: str | None = None
    artifact_file_path: str | None = None
    page_token: str | None = None


@dataclass(frozen=True, slots=True)
class _Models:
    tracking: Tracking

    def create(self, call: Call) -> Json:
        body: NewModel = call.body
        if body.name and not _NOT_IN_NAMES.isdisjoint(body.name):
            raise Refused(
                400, f"name: {body.name[:60]!r} must not hold any of {' '.join(sorted(_NOT_IN_NAMES))}"
            )
        model = self.tracking.models.create(
            experiment_id(body.experiment_id),
            by=call.actor,
            name=body.name or "",
            type=body.model_type or "",
            run=body.source_run_id or "",
            parameters=cut_parameters(tags_of(body.params)),
            tags=cut_tags(tags_of(body.tags)),
        )
        return {"model": model_answer(model)}

    def get(self, call: Call) -> Json:
        model = call.path["model"]
        if (call.query.allow_deleted or "").lower() != "true":
            return {"model": model_answer(self.tracking.models.find(model))}
        self.tracking.follower.catch_up()
        found = self.tracking.index.models.find(model)
        if found is None:
            raise NotThere(f"no logged model has the id {model[:80]!r}")
        return {"model": model_answer(found)}

    def finish(self, call: Call) -> Json:
        status = _STATUS.get(call.body.status)
        if status is None:
            raise Refused(
                400,
                f"status: {str(call.body.status)[:60]!r} is none of LOGGED_MODEL_READY, "
                "LOGGED_MODEL_UPLOAD_FAILED and LOGGED_MODEL_PENDING",
            )
        return {"model": model_answer(self.tracking.models.finish(call.path["model"], status, by=call.actor))}

    def delete(self, call: Call) -> Json:
        self.tracking.models.delete(call.path["model"], by=call.actor)
        return {}

    def search(self, call: Call) -> Json:
        return found_models(self.tracking, call.body)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What belongs to one logged model."""

    tracking: Tracking

    def log_parameters(self, call: Call) -> Json:
        model = self._find(call)
        parameters = cut_parameters(tags_of(call.body.params))
        self.tracking.logbook.log(RunEvent(owner=model.head.id, parameters=parameters))
        return {}

    def set_tags(self, call: Call) -> Json:
        model = self._find(call)
        tags = cut_tags(tags_of(call.body.tags))
        self.tracking.logbook.log(RunEvent(owner=model.head.id, tags={**tags}))
        return {"model": model_answer(self._find(call))}

    def delete_tag(self, call: Call) -> Json:
        model, key = self._find(call), call.path["key"]
        if key not in model.tags:
            raise NotThere(f"logged model {model.head.id} has no tag {key[:60]!r}")
        self.tracking.logbook.log(RunEvent(owner=model.head.id, tags={key: None}))
        return {}

    def files(self, call: Call) -> Json:
        model = self._find(call)
        folder = folder_of(call.query.artifact_directory_path)
        files = listing(self.tracking.files.under(model.head.id, folder), folder)
        answer: Json = {"root_uri": model_uri(model.head.experiment, model.head.id)}
        return {**answer, "files": files} if files else answer

    def file(self, call: Call) -> Response:
        model = self._find(call)
        path = require_path(required(call.query.artifact_file_path, "artifact_file_path"))
        return attachment(self.tracking, self.tracking.files.find(model.head.id, path))

    def _find(self, call: Call) -> LoggedModel:
        return self.tracking.models.find(call.path["model"])


def model_routes(tracking: Tracking) -> list[Route]:
    """Routes under `logged-models`."""
    of, part, read, log = _Models(tracking), _Parts(tracking), Permission.READ, Permission.LOG
    one, most = "/logged-models/{model}", INPUT_BYTES
    return [
        *twins(
            "POST", "/logged-models", log, of.create, "Begin a logged model.", body=NewModel, most_bytes=most
        ),
        *twins("POST", "/logged-models/search", read, of.search, "Logged models.", body=ModelSearch),
        *twins("GET", one, read, of.get, "One logged model.", query=WhichModel),
        *twins("PATCH", one, log, of.finish, "Say that a logged model is whole.", body=ModelChange),
        *twins("DELETE", one, log, of.delete, "Delete a logged model.", body=Nothing),
        *twins(
            "POST",
            f"{one}/params",
            log,
            part.log_parameters,
            "Log parameters.",
            body=ModelChange,
            most_bytes=most,
        ),
        *twins("PATCH", f"{one}/tags", log, part.set_tags, "Set tags.", body=ModelChange, most_bytes=most),
        *twins("DELETE", one + "/tags/{key:path}", log, part.delete_tag, "Take a tag away.", body=Nothing),
        *twins(
            "GET", f"{one}/artifacts/directories", read, part.files, "Files in a folder.", query=WhichFile
        ),
        *twins(
            "GET",
            f"{one}/artifacts/files",
            read,
            part.file,
            "A file's content.",
            prefixes=V2[1:],
            query=WhichFile,
        ),
    ]
