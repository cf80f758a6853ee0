"""Registered models and versions as MLflow's JSON has them. What is empty is left out, as protobuf does."""

from typing import Any

from trimtab.tracking.registry.registered_model import ModelVersion, RegisteredModel
from trimtab.tracking.registry.rule import PROMPT_TAG

Json = dict[str, Any]

#: First part of the address of a version's files, where those of runs have an experiment's id.
REGISTRY = "registry"

_STORED = (
    "Stored as its client sent it: kept, compared and handed out, and not served by trimtab until a project's own "
    "pipeline has trained or converted it."
)
_OWN = "A signed bundle of this project's own pipeline: read here, released with `trimtab release`."


def registered_model_answer(model: RegisteredModel) -> Json:
    """A registered model with its aliases and the newest version of each stage."""
    newest = [version_answer(model, version) for version in model.newest_by_stage()]
    aliases = [{"alias": alias, "version": str(number)} for alias, number in sorted(model.aliases.items())]
    return {
        "name": model.name,
        "creation_timestamp": model.created_ms,
        "last_updated_timestamp": model.updated_ms,
        "description": model.description,
        **_filled(
            user_id=model.by,
            latest_versions=newest,
            tags=_pairs(model.tags),
            aliases=aliases,
        ),
    }


def version_answer(model: RegisteredModel, version: ModelVersion) -> Json:
    """A version with the aliases that mean it."""
    return {
        "name": version.model,
        "version": str(version.number),
        "creation_timestamp": version.created_ms,
        "last_updated_timestamp": version.updated_ms,
        "current_stage": version.stage.value,
        "status": "READY",
        "description": version.description,
        **_filled(
            user_id=version.by,
            source=version.source,
            run_id=version.run,
            model_id=version.logged_model,
            run_link=version.run_link,
            status_message=_said(version),
            tags=_pairs(version.tags),
            aliases=list(model.aliases_of(version.number)),
        ),
    }


def version_uri(version: ModelVersion) -> str:
    """Where the files of a version are, as they were when it was registered: named by what they are."""
    return f"mlflow-artifacts:/{REGISTRY}/{version.files}"


def _said(version: ModelVersion) -> str:
    if version.bundle:
        return _OWN
    return "" if version.tags.get(PROMPT_TAG, "").lower() == "true" else _STORED


def _pairs(values: dict[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _filled(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value}
