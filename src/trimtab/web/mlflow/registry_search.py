"""Searches of the registry in MLflow's protocol: its filters, orders and pages."""

from collections.abc import Callable, Mapping
from typing import Any

from trimtab.atoms.run_query import Comparison, Field, Order
from trimtab.tracking.filter import parse_filter, parse_order
from trimtab.tracking.registry.registered_model import ModelVersion, RegisteredModel
from trimtab.tracking.registry.rule import PROMPT_TAG
from trimtab.tracking.registry.search import found, ordered
from trimtab.web.mlflow.number import page_limit
from trimtab.web.mlflow.registry_answer import Json, registered_model_answer, version_answer
from trimtab.web.mlflow.registry_body import RegistrySearch
from trimtab.web.route import Refused

#: Models and versions on a page where nothing is asked for, and at most.
MODELS, MOST_MODELS = 100, 1000
VERSIONS, MOST_VERSIONS = 10_000, 200_000

_Versioned = tuple[RegisteredModel, ModelVersion]
_NAME = Order(field=Field.ATTRIBUTE, key="name")


def models_page(models: list[RegisteredModel], asked: RegistrySearch) -> Json:
    """A page of registered models, by name where no order is asked for; prompts are left out unless asked for."""
    where = parse_filter(asked.filter or "", of="registered models")
    hits = found(_fitting(models, where, lambda model: model), _without_prompt(where), _of_model)
    hits = ordered(hits, [*parse_order(asked.order_by, of="registered models"), _NAME], _of_model)
    limit = page_limit(asked.max_results, "max_results", MODELS, MOST_MODELS)
    return _page("registered_models", hits, asked.page_token, limit, registered_model_answer)


def versions_page(models: list[RegisteredModel], asked: RegistrySearch) -> Json:
    """A page of versions, the last changed first where no order is asked for."""
    where = parse_filter(asked.filter or "", of="model versions")
    versions: list[_Versioned] = [(model, version) for model in models for version in model.versions]
    hits = found(_fitting(versions, where, lambda pair: pair[0]), _without_prompt(where), _of_version)
    order = parse_order(asked.order_by, of="model versions") or [
        Order(field=Field.ATTRIBUTE, key="last_updated_timestamp", ascending=False)
    ]
    by_number = Order(field=Field.ATTRIBUTE, key="version_number", ascending=False)
    hits = ordered(hits, [*order, _NAME, by_number], _of_version)
    limit = page_limit(asked.max_results, "max_results", VERSIONS, MOST_VERSIONS)
    return _page("model_versions", hits, asked.page_token, limit, lambda pair: version_answer(*pair))


def _of_model(model: RegisteredModel) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    attributes = {
        "name": model.name,
        "creation_timestamp": model.created_ms,
        "last_updated_timestamp": model.updated_ms,
    }
    return attributes, model.tags


def _of_version(pair: _Versioned) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    version = pair[1]
    attributes = {
        "name": version.model,
        "version_number": version.number,
        "run_id": version.run,
        "source_path": version.source,
        "creation_timestamp": version.created_ms,
        "last_updated_timestamp": version.updated_ms,
    }
    return attributes, version.tags


def _is_prompt(model: RegisteredModel) -> bool:
    return model.tags.get(PROMPT_TAG, "").lower() == "true"


def _fitting(
    items: list[Any], where: tuple[Comparison, ...], model: Callable[[Any], RegisteredModel]
) -> list[Any]:
    """Prompts where a condition asks for them, else what is none: the two never come together."""
    asked = [condition for condition in where if condition.key == PROMPT_TAG]
    prompts = bool(asked) and (asked[0].operator, str(asked[0].value).lower()) in (
        ("=", "true"),
        ("!=", "false"),
    )
    return [item for item in items if _is_prompt(model(item)) is prompts]


def _without_prompt(where: tuple[Comparison, ...]) -> list[Comparison]:
    return [condition for condition in where if condition.key != PROMPT_TAG]


def _page(name: str, hits: list[Any], token: str | None, limit: int, answer: Callable[[Any], Json]) -> Json:
    first = 0
    if token:
        if not (token.isascii() and token.isdigit() and len(token) < 12):
            raise Refused(
                400, f"page_token: {token[:60]!r} is none that this server gave", "INVALID_PARAMETER_VALUE"
            )
        first = int(token)
    page: Json = {name: [answer(hit) for hit in hits[first : first + limit]]} if hits[first:] else {}
    return {**page, "next_page_token": str(first + limit)} if len(hits) > first + limit else page
