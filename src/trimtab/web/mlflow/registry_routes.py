"""The model registry in MLflow's protocol.

Who may log may make registered models and versions; what consumers load by (aliases, stages, names) needs the right to
release; taking a version away needs the administrator's.
"""

from dataclasses import dataclass

from trimtab.atoms.error import NotThere
from trimtab.tracking.registry.registered_model import ModelVersion, Stage
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.permission import Permission
from trimtab.web.mlflow.number import required
from trimtab.web.mlflow.registry_answer import Json, registered_model_answer, version_answer, version_uri
from trimtab.web.mlflow.registry_body import ModelBody, RegistrySearch, Tag, VersionBody, Which
from trimtab.web.mlflow.registry_search import models_page, versions_page
from trimtab.web.mlflow.twin import twins
from trimtab.web.route import Call, Refused, Route

_EXISTS = "RESOURCE_ALREADY_EXISTS"
_STAGES = {stage.value.lower(): stage for stage in Stage}


@dataclass(frozen=True, slots=True)
class _ModelReads:
    tracking: Tracking

    def get(self, call: Call) -> Json:
        found = self.tracking.registry.models.find(required(call.query.name, "name"))
        return {"registered_model": registered_model_answer(found)}

    def search(self, call: Call) -> Json:
        asked: RegistrySearch = call.query
        return models_page(self.tracking.registry.models.all(), asked)

    def latest(self, call: Call) -> Json:
        asked: ModelBody | Which = call.body or call.query
        model = self.tracking.registry.models.find(required(asked.name, "name"))
        wanted = [_stage(stage) for stage in asked.stages or ()] or list(Stage)
        return _filled(
            "model_versions",
            [version_answer(model, one) for one in model.newest_by_stage() if one.stage in wanted],
        )

    def by_alias(self, call: Call) -> Json:
        model = self.tracking.registry.models.find(required(call.query.name, "name"))
        alias = required(call.query.alias, "alias")
        number = model.aliases.get(alias)
        if alias.lower() == "latest" and model.versions:
            number = model.versions[-1].number
        for version in model.versions:
            if version.number == number:
                return {"model_version": version_answer(model, version)}
        # MLflow's clients know an alias that is not there by this code.
        raise Refused(400, f"Registered model alias {alias} not found.", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True, slots=True)
class _ModelChanges:
    tracking: Tracking

    def create(self, call: Call) -> Json:
        body: ModelBody = call.body
        name = required(body.name, "name")
        made = self.tracking.registry.models.create(
            name, by=call.actor, description=body.description or "", tags=_tags(body.tags)
        )
        return {"registered_model": registered_model_answer(made)}

    def update(self, call: Call) -> Json:
        body: ModelBody = call.body
        name = required(body.name, "name")
        changed = self.tracking.registry.models.change(
            name, by=call.actor, description=body.description or ""
        )
        return {"registered_model": registered_model_answer(changed)}

    def rename(self, call: Call) -> Json:
        body: ModelBody = call.body
        name, to = required(body.name, "name"), required(body.new_name, "new_name")
        return {
            "registered_model": registered_model_answer(
                self.tracking.registry.models.change(name, by=call.actor, new_name=to)
            )
        }

    def delete(self, call: Call) -> Json:
        self.tracking.registry.models.delete(required(call.body.name, "name"), by=call.actor)
        return {}

    def tag(self, call: Call) -> Json:
        body: ModelBody = call.body
        value = None if call.method == "DELETE" else body.value or ""
        tags = {required(body.key, "key"): value}
        self.tracking.registry.models.change(required(body.name, "name"), by=call.actor, tags=tags)
        return {}

    def set_alias(self, call: Call) -> Json:
        body: ModelBody = call.body
        name, alias = required(body.name, "name"), required(body.alias, "alias")
        number = None if call.method == "DELETE" else _number(body.version)
        self.tracking.registry.models.set_alias(name, alias, number, by=call.actor)
        return {}


@dataclass(frozen=True, slots=True)
class _VersionReads:
    tracking: Tracking

    def get(self, call: Call) -> Json:
        name, number = required(call.query.name, "name"), _number(call.query.version)
        return _told_of(self.tracking, self.tracking.registry.versions.find(name, number))

    def search(self, call: Call) -> Json:
        asked: RegistrySearch = call.query
        return versions_page(self.tracking.registry.models.all(), asked)

    def download(self, call: Call) -> Json:
        name, number = required(call.query.name, "name"), _number(call.query.version)
        version = self.tracking.registry.versions.find(name, number)
        if version.bundle:
            raise Refused(
                400,
                f"version {number} of {name!r} is a signed bundle of this project's own pipeline, which MLflow's "
                "flavours cannot load: ask the prediction plane for its answers (`trimtab serve`)",
                "INVALID_PARAMETER_VALUE",
            )
        if not version.files:
            raise NotThere(f"version {number} of {name!r} has no files: its source is {version.source!r}")
        return {"artifact_uri": version_uri(version)}


@dataclass(frozen=True, slots=True)
class _VersionChanges:
    tracking: Tracking

    def create(self, call: Call) -> Json:
        body: VersionBody = call.body
        made = self.tracking.registry.versions.add(
            required(body.name, "name"),
            required(body.source, "source"),
            by=call.actor,
            run=body.run_id or "",
            logged_model=body.model_id or "",
            run_link=body.run_link or "",
            description=body.description or "",
            tags=_tags(body.tags),
        )
        return _told_of(self.tracking, made)

    def update(self, call: Call) -> Json:
        body: VersionBody = call.body
        name, number = _which(body)
        return _told_of(
            self.tracking,
            self.tracking.registry.versions.change(
                name, number, by=call.actor, description=body.description or ""
            ),
        )

    def delete(self, call: Call) -> Json:
        name, number = _which(call.body)
        self.tracking.registry.versions.delete(name, number, by=call.actor)
        return {}

    def place(self, call: Call) -> Json:
        body: VersionBody = call.body
        name, number = _which(body)
        placed = self.tracking.registry.versions.place(
            name,
            number,
            _stage(required(body.stage, "stage")),
            by=call.actor,
            archive_others=bool(body.archive_existing_versions),
        )
        return _told_of(self.tracking, placed)

    def tag(self, call: Call) -> Json:
        body: VersionBody = call.body
        name, number = _which(body)
        value = None if call.method == "DELETE" else body.value or ""
        tags = {required(body.key, "key"): value}
        self.tracking.registry.versions.change(name, number, by=call.actor, tags=tags)
        return {}


def registry_routes(tracking: Tracking) -> list[Route]:
    """Routes under `registered-models/` and `model-versions/`."""
    return [
        *_model_reads(_ModelReads(tracking)),
        *_model_changes(_ModelChanges(tracking)),
        *_version_routes(_VersionReads(tracking), _VersionChanges(tracking)),
    ]


def _model_reads(of: _ModelReads) -> list[Route]:
    at, read, which = "/registered-models", Permission.READ, Which
    return [
        *twins("GET", f"{at}/get", read, of.get, "One registered model.", query=which),
        *twins("GET", f"{at}/search", read, of.search, "Registered models.", query=RegistrySearch),
        *twins("GET", f"{at}/get-latest-versions", read, of.latest, "Newest by stage.", query=which),
        *twins("POST", f"{at}/get-latest-versions", read, of.latest, "Newest by stage.", body=ModelBody),
        *twins("GET", f"{at}/alias", read, of.by_alias, "The version that an alias means.", query=which),
    ]


def _model_changes(of: _ModelChanges) -> list[Route]:
    at, body, log, release = "/registered-models", ModelBody, Permission.LOG, Permission.RELEASE
    administer = Permission.ADMINISTER
    return [
        *twins(
            "POST", f"{at}/create", log, of.create, "Make a registered model.", body=body, conflict=_EXISTS
        ),
        *twins("PATCH", f"{at}/update", log, of.update, "Describe a registered model.", body=body),
        *twins(
            "POST",
            f"{at}/rename",
            release,
            of.rename,
            "Rename a registered model.",
            body=body,
            conflict=_EXISTS,
        ),
        *twins("DELETE", f"{at}/delete", administer, of.delete, "Take a registered model away.", body=body),
        *twins("POST", f"{at}/set-tag", log, of.tag, "Set a tag of a registered model.", body=body),
        *twins("DELETE", f"{at}/delete-tag", log, of.tag, "Take a tag away.", body=body),
        *twins("POST", f"{at}/alias", release, of.set_alias, "Let an alias mean a version.", body=body),
        *twins("DELETE", f"{at}/alias", release, of.set_alias, "Take an alias away.", body=body),
    ]


def _version_routes(read: _VersionReads, change: _VersionChanges) -> list[Route]:
    at, body, which = "/model-versions", VersionBody, Which
    log, release, administer = Permission.LOG, Permission.RELEASE, Permission.ADMINISTER
    return [
        *twins("GET", f"{at}/get", Permission.READ, read.get, "One version.", query=which),
        *twins("GET", f"{at}/search", Permission.READ, read.search, "Versions.", query=RegistrySearch),
        *twins(
            "GET",
            f"{at}/get-download-uri",
            Permission.READ,
            read.download,
            "Where its files are.",
            query=which,
        ),
        *twins("POST", f"{at}/create", log, change.create, "Register a version.", body=body),
        *twins("PATCH", f"{at}/update", log, change.update, "Describe a version.", body=body),
        *twins("DELETE", f"{at}/delete", administer, change.delete, "Take a version away.", body=body),
        *twins(
            "POST", f"{at}/transition-stage", release, change.place, "Move a version to a stage.", body=body
        ),
        *twins("POST", f"{at}/set-tag", log, change.tag, "Set a tag of a version.", body=body),
        *twins("DELETE", f"{at}/delete-tag", log, change.tag, "Take a tag away.", body=body),
    ]


def _told_of(tracking: Tracking, version: ModelVersion) -> Json:
    model = tracking.registry.models.find(version.model)
    return {"model_version": version_answer(model, version)}


def _filled(name: str, items: list[Json]) -> Json:
    return {name: items} if items else {}


def _which(body: VersionBody) -> tuple[str, int]:
    return required(body.name, "name"), _number(body.version)


def _number(value: str | int | None) -> int:
    text = required(None if value is None else str(value), "version")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refused(400, f"version: {text[:60]!r} is no number of a version", "INVALID_PARAMETER_VALUE")
    return int(text)


def _stage(text: str) -> Stage:
    if text.lower() not in _STAGES:
        stages = ", ".join(stage.value for stage in Stage)
        raise Refused(400, f"Invalid Model Version stage: {text[:60]}. Value must be one of {stages}.")
    return _STAGES[text.lower()]


def _tags(tags: list[Tag] | None) -> dict[str, str]:
    return {required(tag.key, f"tags[{place}].key"): tag.value or "" for place, tag in enumerate(tags or ())}
