"""Routes of the views: the same accounts as the commands' `--json`, a page at a time where they grow."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from msgspec import UNSET

from trimtab.assembly.model_account import every_model_account
from trimtab.atoms.error import NotThere, UsageError
from trimtab.tracking.registry.model_shelf import RegisteredModels
from trimtab.views.account import (
    lineage_account,
    models_account,
    record_account,
    runs_account,
    status_account,
)
from trimtab.views.memory import Memory
from trimtab.views.name import resolve
from trimtab.web.access.permission import Permission
from trimtab.web.api.page_mark import mark_of, place_of
from trimtab.web.api.question import PageQuery, TrainingQuery
from trimtab.web.api.view_answer import (
    Head,
    LineageAnswer,
    ModelHistory,
    Models,
    RecordAnswer,
    ReleasePage,
    Status,
    TrainingRuns,
    VersionPage,
)
from trimtab.web.route import Call, Route

Answer = Callable[[Memory, Call], Any]


def view_routes(memory: Memory, registered: RegisteredModels) -> list[Route]:
    """Reading what was judged, decided and made."""

    def route(path: str, reads: Answer, summary: str, **shapes: Any) -> Route:
        return Route("GET", f"/api/v1{path}", Permission.READ, reading(memory, reads), summary, **shapes)

    return [
        route("/head", _head, "How long the ledger is, and its chain value.", answer=Head),
        route(
            "/status", lambda memory, call: status_account(memory), "Where everything stands.", answer=Status
        ),
        route(
            "/models",
            lambda memory, call: every_model_account(memory, registered),
            "Every model: the pipeline's, and those that clients stored.",
            answer=Models,
        ),
        route("/models/{model}", _model, "Versions, champions and releases of a model.", answer=ModelHistory),
        route(
            "/models/{model}/versions", _versions, "Versions of a model.", query=PageQuery, answer=VersionPage
        ),
        route(
            "/models/{model}/releases",
            _releases,
            "Traffic plans of a model.",
            query=PageQuery,
            answer=ReleasePage,
        ),
        route(
            "/training", _training, "Runs of the stage that trains.", query=TrainingQuery, answer=TrainingRuns
        ),
        route(
            "/lineage/{name:path}",
            _lineage,
            "What a record came of, and what it led to.",
            answer=LineageAnswer,
        ),
        route("/records/{name:path}", _record, "One record and what it is linked with.", answer=RecordAnswer),
    ]


def reading(memory: Memory, answer: Answer) -> Callable[[Call], Any]:
    """An endpoint that reads the memory while nobody changes it."""

    @wraps(answer)
    def endpoint(call: Call) -> Any:
        with memory.reading():
            return answer(memory, call)

    return endpoint


def _head(memory: Memory, call: Call) -> Head:
    return Head(entries=memory.head[0], chain=memory.head[1])


def _model(memory: Memory, call: Call) -> Any:
    model = _known(memory, call)
    return models_account(memory)["models"][model]


def _versions(memory: Memory, call: Call) -> VersionPage:
    found, after = _stretch(memory.releases.versions(_known(memory, call)), call.query)
    return VersionPage(versions=found, after=after)


def _releases(memory: Memory, call: Call) -> ReleasePage:
    found, after = _stretch(memory.releases.history(_known(memory, call)), call.query)
    return ReleasePage(releases=found, after=after)


def _training(memory: Memory, call: Call) -> Any:
    asked: TrainingQuery = call.query
    return runs_account(memory, None if asked.model is UNSET else asked.model)


def _lineage(memory: Memory, call: Call) -> Any:
    return lineage_account(memory, _resolved(memory, call))


def _record(memory: Memory, call: Call) -> Any:
    return record_account(memory, _resolved(memory, call), call.permissions)


def _resolved(memory: Memory, call: Call) -> str:
    try:
        return resolve(memory, call.path["name"])
    except UsageError as error:
        raise NotThere(str(error)) from error


def _known(memory: Memory, call: Call) -> str:
    model = call.path["model"]
    if model not in memory.releases.models():
        names = ", ".join(memory.releases.models()[:10]) or "none"
        raise NotThere(f"no model is called {model[:100]!r}: there is {names}")
    return model


def _stretch(items: list[Any], asked: PageQuery) -> tuple[list[Any], str]:
    """A page of a list that only grows at its end."""
    start = place_of(asked.after) or 0
    end = start + asked.limit
    return items[start:end], mark_of(end) if end < len(items) else ""
