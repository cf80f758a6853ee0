"""Searching in memory: every thing is held against every condition, and all that hold are sorted."""

import math
import operator
import re
from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any, Generic

import msgspec

from trimtab.atoms.error import UsageError
from trimtab.atoms.run import Experiment, LoggedModel, ModelMetric, Run
from trimtab.atoms.run_query import Comparison, Deleted, Field, Item, Order, Page, Query

_CONTEXT_TAG = "mlflow.data.context"
Value = str | float | None
_Fields = dict[Field, dict[str, list[Value]]]
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Asked(msgspec.Struct, Generic[Item]):
    """A thing, and what can be asked about it."""

    item: Item
    id: str
    experiment: str
    deleted: bool
    moment: int
    #: Values of each field by key: all those that a condition may hold for, the one that the order goes by first.
    fields: _Fields


class _Place(msgspec.Struct):
    """Where a thing stands in the order: rank and value by each key; then its moment and id."""

    keys: list[tuple[int, Value]]
    moment: int
    id: str


def of_run(run: Run) -> Asked[Run]:
    """What can be asked about a run."""
    head = run.head
    attributes: dict[str, Value] = {
        "run_id": head.id,
        "status": head.status.value,
        "start_time": head.started_ms,
        "end_time": head.ended_ms,
        "experiment_id": head.experiment,
        "artifact_uri": f"mlflow-artifacts:/{head.experiment}/{head.id}/artifacts",
        "by": head.by,
        "stage": head.stage,
    }
    datasets: dict[str, list[Value]] = {
        "name": [each.name for each in run.datasets],
        "digest": [each.digest for each in run.datasets],
        "context": [each.tags.get(_CONTEXT_TAG) for each in run.datasets],
    }
    fields = {
        Field.ATTRIBUTE: _single(attributes),
        Field.PARAMETER: _single(run.parameters),
        Field.TAG: _single(run.tags),
        Field.METRIC: _single({name: last.value for name, last in run.metrics.items()}),
        Field.DATASET: datasets,
    }
    return Asked(run, head.id, head.experiment, head.deleted, head.started_ms, fields)


def of_experiment(experiment: Experiment) -> Asked[Experiment]:
    """What can be asked about an experiment."""
    attributes: dict[str, Value] = {
        "name": experiment.name,
        "experiment_id": experiment.id,
        "creation_time": experiment.created_ms,
        "last_update_time": experiment.updated_ms,
    }
    fields = {Field.ATTRIBUTE: _single(attributes), Field.TAG: _single(experiment.tags)}
    return Asked(experiment, experiment.id, experiment.id, experiment.deleted, experiment.created_ms, fields)


def of_model(model: LoggedModel, query: Query) -> Asked[LoggedModel]:
    """What a question can ask about a logged model: where it names data, only metrics measured on it count."""
    head = model.head
    attributes: dict[str, Value] = {
        "name": head.name,
        "model_id": head.id,
        "model_type": head.type,
        "status": head.status.value,
        "source_run_id": head.run,
        "experiment_id": head.experiment,
        "creation_timestamp": head.created_ms,
        "last_updated_timestamp": head.updated_ms,
    }
    data = [each for each in query.where if each.field is Field.DATASET]
    counted = [metric for metric in model.metrics if all(_on(metric, each) for each in data)]
    # The newest first; sorted three times, as a later sort keeps what an earlier one did.
    counted.sort(key=lambda metric: (metric.run, metric.dataset))
    counted.sort(key=lambda metric: (metric.last.at_us, metric.last.step), reverse=True)
    metrics: dict[str, list[Value]] = {}
    for metric in counted:
        metrics.setdefault(metric.name, []).append(metric.last.value)
    fields: _Fields = {
        Field.ATTRIBUTE: _single(attributes),
        Field.PARAMETER: _single(model.parameters),
        Field.TAG: _single(model.tags),
        Field.METRIC: metrics,
        Field.DATASET: {
            "name": [metric.dataset[0] for metric in counted],
            "digest": [metric.dataset[1] for metric in counted],
        },
    }
    return Asked(model, head.id, head.experiment, head.deleted, head.created_ms, fields)


class MemorySearch:
    """Answers of one index; remembers where its pages ended."""

    def __init__(self) -> None:
        self._ends: list[tuple[tuple[object, ...], _Place]] = []

    def found(self, query: Query, things: Sequence[Asked[Item]]) -> list[Asked[Item]]:
        """All that a settled question finds, in its order."""

        def in_order(one: tuple[_Place, Asked[Item]], other: tuple[_Place, Asked[Item]]) -> int:
            return _compared(query, one[0], other[0])

        found = [(_place(each, query), each) for each in things if _holds(each, query)]
        return [each for _, each in sorted(found, key=cmp_to_key(in_order))]

    def page(self, query: Query, things: Sequence[Asked[Item]]) -> Page[Item]:
        """A page of it."""
        found = self.found(query, things)
        if query.after:
            end = self._end(query)
            found = [each for each in found if _compared(query, _place(each, query), end) > 0]
        items = tuple(each.item for each in found[: query.limit])
        if len(found) <= query.limit:
            return Page(items=items)
        self._ends.append((_question(query), _place(found[query.limit - 1], query)))
        return Page(items=items, after=f"page-{len(self._ends)}")

    def _end(self, query: Query) -> _Place:
        number = query.after.removeprefix("page-")
        if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= len(self._ends):
            raise UsageError("this is no page token: give `after` as the page before said it")
        question, place = self._ends[int(number) - 1]
        if question != _question(query):
            raise UsageError("the page token is one of another question: ask for the first page again")
        return place


def _question(query: Query) -> tuple[object, ...]:
    return query.experiments, query.where, query.order, query.deleted


def _holds(thing: Asked[Item], query: Query) -> bool:
    if query.deleted is not Deleted.TOO and thing.deleted is not (query.deleted is Deleted.ONLY):
        return False
    if query.experiments and thing.experiment not in query.experiments:
        return False
    return all(_fulfils(thing.fields[each.field].get(each.key, []), each) for each in query.where)


def _fulfils(values: Sequence[Value], asked: Comparison) -> bool:
    there = [value for value in values if value is not None]
    if asked.operator == "IS-NULL":
        return not there
    return any(_meets(value, asked) for value in there)


def _meets(value: str | float, asked: Comparison) -> bool:
    """Whether one value fulfils a condition."""
    wanted = asked.value
    if asked.operator == "IS-NOT-NULL":
        return True
    if asked.operator in ("IN", "NOT-IN"):
        return (value in wanted) is (asked.operator == "IN")  # type: ignore[operator]
    if asked.operator == "LIKE":
        return _like(str(value), str(wanted))
    if asked.operator == "ILIKE":
        return _like(str(value).lower(), str(wanted).lower())
    return _COMPARED[asked.operator](value, wanted)


def _like(text: str, pattern: str) -> bool:
    """`%` stands for any text, `_` for any one character."""
    parts = [{"%": ".*", "_": "."}.get(each, re.escape(each)) for each in pattern]
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _on(metric: ModelMetric, asked: Comparison) -> bool:
    return _meets(metric.dataset[asked.key == "digest"], asked)


def _place(thing: Asked[Item], query: Query) -> _Place:
    return _Place([_key(thing, order) for order in query.order], thing.moment, thing.id)


def _key(thing: Asked[Item], order: Order) -> tuple[int, Value]:
    value = next(iter(thing.fields[order.field].get(order.key, [])), None)
    if value is None:
        return 2, None
    if isinstance(value, float) and math.isnan(value):
        return 1, None
    if order.key == "experiment_id" and isinstance(thing.item, Experiment):
        return 0, min(int(thing.id), (1 << 63) - 1)
    return 0, value


def _compared(query: Query, one: _Place, other: _Place) -> int:
    """Below 0: `one` comes before `other`."""
    for order, left, right in zip(query.order, one.keys, other.keys, strict=True):
        if left[0] != right[0]:
            return left[0] - right[0]
        if left[1] != right[1]:
            before = left[1] < right[1]  # type: ignore[operator]
            return -1 if before is order.ascending else 1
    if one.moment != other.moment:
        return 1 if one.moment < other.moment else -1
    return (one.id > other.id) - (one.id < other.id)


def _single(values: "dict[str, Value] | dict[str, str] | dict[str, float]") -> dict[str, list[Value]]:
    return {key: [value] for key, value in values.items()}
