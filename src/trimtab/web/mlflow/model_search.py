"""Search of logged models in MLflow's protocol, also by what they reached on one set of data."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from trimtab.atoms.error import UsageError
from trimtab.atoms.run import LoggedModel
from trimtab.atoms.run_query import Comparison, Field, Order, Query
from trimtab.tracking.tracking import Tracking
from trimtab.web.mlflow.answer import Json, model_answer
from trimtab.web.mlflow.experiment_routes import experiment_id
from trimtab.web.mlflow.number import Number, missing, page_limit, required
from trimtab.web.mlflow.offset import next_offset, offset_of
from trimtab.web.mlflow.search import conditions, orders
from trimtab.web.route import Refused

#: Logged models on a page where nothing is asked for, and at most.
PAGE, MOST_A_PAGE = 50, 50_000


class Data(msgspec.Struct, frozen=True):
    """Data on which metrics were measured; without a digest: all of the name."""

    dataset_name: str | None = None
    dataset_digest: str | None = None


class OrderKey(msgspec.Struct, frozen=True):
    """One key of the order: an attribute, or a metric, measured on certain data or on any."""

    field_name: str | None = None
    ascending: bool | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class ModelSearch(msgspec.Struct, frozen=True):
    """Body of `logged-models/search`."""

    experiment_ids: list[str] | None = None
    filter: str | None = None
    datasets: list[Data] | None = None
    max_results: Number | None = None
    order_by: list[OrderKey] | None = None
    page_token: str | None = None


class _On(NamedTuple):
    """Data by its name, and by its digest where that is not empty."""

    name: str
    digest: str

    def holds(self, dataset: tuple[str, str]) -> bool:
        return self.name in ("", dataset[0]) and self.digest in ("", dataset[1])


def found_models(tracking: Tracking, asked: ModelSearch) -> Json:
    """The page of logged models that is asked for.

    Raises:
        Refused, UsageError: The question breaks a rule: the message names it.
    """
    if not asked.experiment_ids:
        raise missing("experiment_ids")
    experiments = tuple(experiment_id(experiment) for experiment in asked.experiment_ids)
    where = conditions(asked.filter, "models")
    order = tuple(_order(key) for key in asked.order_by or ())
    limit = page_limit(asked.max_results or None, "max_results", PAGE, MOST_A_PAGE)
    data = [
        _On(required(each.dataset_name, "datasets.dataset_name"), each.dataset_digest or "")
        for each in asked.datasets or ()
    ]
    on = [_On(key.dataset_name or "", key.dataset_digest or "") for key in asked.order_by or ()]
    if not data and all(each == _On("", "") for each in on):
        query = Query(
            experiments=experiments, where=where, order=order, limit=limit, after=asked.page_token or ""
        )
        page = tracking.models.search(query)
        return _answer(page.items, page.after)
    query = Query(experiments=experiments, where=tuple(each for each in where if each.field != Field.METRIC))
    metrics = [each for each in where if each.field == Field.METRIC]
    models = [model for model in _all(tracking, query) if _measures(model, data, metrics)]
    for key, of in reversed(list(zip(order, on, strict=True))):
        models = _sorted(models, key, of)
    first = offset_of(asked.page_token)
    after = next_offset(first + limit) if first + limit < len(models) else ""
    return _answer(models[first : first + limit], after)


def _answer(models: Sequence[LoggedModel], after: str) -> Json:
    answer: Json = {"models": [model_answer(model) for model in models]} if models else {}
    return {**answer, "next_page_token": after} if after else answer


def _order(key: OrderKey) -> Order:
    name = required(key.field_name, "order_by.field_name")
    found = orders([f"{name} {'ASC' if key.ascending in (None, True) else 'DESC'}"], "models")[0]
    if found.field not in (Field.ATTRIBUTE, Field.METRIC):
        raise Refused(400, f"order_by: {name[:60]!r} is neither an attribute nor a metric")
    return found


def _all(tracking: Tracking, query: Query) -> Iterator[LoggedModel]:
    while True:
        page = tracking.models.search(query)
        yield from page.items
        if not page.after:
            return
        query = msgspec.structs.replace(query, after=page.after)


def _measures(model: LoggedModel, data: Sequence[_On], where: Sequence[Comparison]) -> bool:
    """Whether a model was measured on one of the data, so that each comparison holds there."""
    measured = [
        metric for metric in model.metrics if not data or any(each.holds(metric.dataset) for each in data)
    ]
    return bool(measured or not data) and all(
        any(metric.name == each.key and _holds(metric.last.value, each) for metric in measured)
        for each in where
    )


def _holds(value: float, comparison: Comparison) -> bool:
    other = comparison.value
    if not isinstance(other, float | int):
        raise UsageError(f"metric {comparison.key!r} is compared with a number")
    match comparison.operator:
        case "=":
            return value == other
        case "!=":
            return value != other
        case "<":
            return value < other
        case "<=":
            return value <= other
        case ">":
            return value > other
        case ">=":
            return value >= other
    raise UsageError(f"metric {comparison.key!r} cannot be compared by {comparison.operator}")


def _sorted(models: list[LoggedModel], key: Order, on: _On) -> list[LoggedModel]:
    """Models by one key, those that lack it last; of equal ones the order stays."""
    if key.field == Field.ATTRIBUTE:
        return sorted(models, key=lambda model: _attribute(model, key.key), reverse=not key.ascending)
    lacking = [model for model in models if _reached(model, key.key, on) is None]
    having = [model for model in models if _reached(model, key.key, on) is not None]
    having.sort(key=lambda model: _reached(model, key.key, on) or 0.0, reverse=not key.ascending)
    return having + lacking


def _reached(model: LoggedModel, metric: str, on: _On) -> float | None:
    """The newest value of a metric on certain data."""
    points = [each.last for each in model.metrics if each.name == metric and on.holds(each.dataset)]
    return max(points, key=lambda point: (point.at_us, point.step)).value if points else None


def _attribute(model: LoggedModel, name: str) -> str | int:
    head = model.head
    known: dict[str, str | int] = {
        "name": head.name,
        "model_id": head.id,
        "model_type": head.type,
        "status": head.status.value,
        "source_run_id": head.run,
        "experiment_id": head.experiment,
        "creation_time": head.created_ms,
        "creation_timestamp": head.created_ms,
        "last_updated_timestamp": head.updated_ms,
        "last_updated_time": head.updated_ms,
    }
    if name not in known:
        raise UsageError(f"order_by: logged models have no attribute {name[:60]!r}")
    return known[name]
