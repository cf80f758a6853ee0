"""The account of every model: what the pipeline registered, and beside it what clients stored."""

from datetime import UTC, datetime
from typing import Any

from trimtab.atoms.instant import iso
from trimtab.engine.store import Store
from trimtab.tracking.registry.book import Book
from trimtab.tracking.registry.model_shelf import RegisteredModels
from trimtab.tracking.registry.registered_model import ModelVersion, RegisteredModel
from trimtab.tracking.registry.rule import PROMPT_TAG
from trimtab.views.account import models_account
from trimtab.views.memory import Memory

#: What becomes of a stored version, in words.
STORED = "stored: compared, not served until converted or trusted"


def every_model_account(memory: Memory, registered: RegisteredModels) -> dict[str, Any]:
    """The views' account of models with `stored`, the models that clients registered, by name; prompts are none."""
    stored = [
        model
        for model in registered.all()
        if not model.own and model.tags.get(PROMPT_TAG, "").lower() != "true"
    ]
    return {**models_account(memory), "stored": {model.name: _stored(model) for model in stored}}


def registered_in(store: Store) -> RegisteredModels:
    """The registered models of a store whose runs are not open here; they are read when they are first asked for."""
    return RegisteredModels(Book(store))


def _stored(model: RegisteredModel) -> dict[str, Any]:
    return {
        "description": model.description,
        "aliases": model.aliases,
        "by": model.by,
        "versions": [_version(model, version) for version in model.versions],
    }


def _version(model: RegisteredModel, version: ModelVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "status": STORED,
        "stage": version.stage.value,
        "aliases": list(model.aliases_of(version.number)),
        "source": version.source,
        "run": version.run,
        "by": version.by,
        "registered_at": iso(datetime.fromtimestamp(version.created_ms / 1000, UTC)),
    }
