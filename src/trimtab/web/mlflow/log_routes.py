"""What runs log, in MLflow's protocol. Every answer that is no error says that it is on the disk."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from trimtab.atoms.error import NotThere
from trimtab.atoms.metric_point import Points, encode_point, encode_points, points_of_columns
from trimtab.atoms.run_event import RunEvent
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.permission import Permission
from trimtab.web.mlflow.answer import Json
from trimtab.web.mlflow.experiment_routes import Tag, tags_of
from trimtab.web.mlflow.gather import Gather
from trimtab.web.mlflow.number import MOST_MILLISECONDS, Number, moment_us, real, required, whole
from trimtab.web.mlflow.run_routes import living_run
from trimtab.web.mlflow.text import cut_parameters, cut_tags
from trimtab.web.mlflow.twin import twins
from trimtab.web.route import Call, Refused, Route

#: What one batch may hold, by MLflow's rules.
MOST_METRICS, MOST_PARAMETERS, MOST_TAGS, MOST_ALL = 1000, 100, 100, 1000
#: Bytes of a batch; names of 250 characters and values of 8,000 make more than the usual limit.
BATCH_BYTES = 4_000_000


class Metric(msgspec.Struct, frozen=True):
    """One metric of a batch."""

    key: str | None = None
    value: Number | None = None
    timestamp: Number | None = None
    step: Number | None = None
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class LogMetric(Metric, frozen=True):
    """Body of `runs/log-metric`."""

    run_id: str | None = None
    run_uuid: str | None = None


class LogValue(msgspec.Struct, frozen=True):
    """Body of `runs/log-parameter`, `runs/set-tag` and `runs/delete-tag`."""

    run_id: str | None = None
    run_uuid: str | None = None
    key: str | None = None
    value: str | None = None


class LogBatch(msgspec.Struct, frozen=True):
    """Body of `runs/log-batch`."""

    run_id: str | None = None
    metrics: list[Metric] | None = None
    params: list[Tag] | None = None
    tags: list[Tag] | None = None


@dataclass(frozen=True, slots=True)
class _Log:
    tracking: Tracking
    gather: Gather

    async def metric(self, call: Call) -> Json:
        body: LogMetric = call.body
        run = required(body.run_id or body.run_uuid, "run_id")
        point = encode_point(*_point(body, ""))
        if body.model_id is None:
            event = RunEvent(owner=run, points=point)
        else:
            model, dataset = _measured(body)
            event = RunEvent(owner=run, points=point, points_model=model, points_dataset=dataset)
        await self.gather.log(event)
        return {}

    async def parameter(self, call: Call) -> Json:
        body: LogValue = call.body
        run, key = _asked(body)
        await self.gather.log(RunEvent(owner=run, parameters=cut_parameters({key: body.value or ""})))
        return {}

    async def set_tag(self, call: Call) -> Json:
        body: LogValue = call.body
        run, key = _asked(body)
        await self.gather.log(RunEvent(owner=run, tags={**cut_tags({key: body.value or ""})}))
        return {}

    def delete_tag(self, call: Call) -> Json:
        run, key = _asked(call.body)
        if key not in living_run(self.tracking, run).tags:
            raise NotThere(f"run {run} has no tag {key[:60]!r}")
        self.tracking.logbook.log(RunEvent(owner=run, tags={key: None}))
        return {}

    async def batch(self, call: Call) -> Json:
        body: LogBatch = call.body
        run = required(body.run_id, "run_id")
        metrics, params, tags = body.metrics or (), body.params or (), body.tags or ()
        _require_size(len(metrics), len(params), len(tags))
        events = _metric_events(run, metrics)
        if params or tags or not events:
            first = events[0] if events else RunEvent(owner=run)
            values: dict[str, Any] = {
                "parameters": cut_parameters(_parameters(params)),
                "tags": cut_tags(tags_of(list(tags))),
            }
            events[:1] = [msgspec.structs.replace(first, **values)]
        for event in events:
            # Parameters go first: where they are refused, nothing of the batch is logged.
            await self.gather.log(event)
        return {}


def _event(run: str, points: Points, model: str, dataset: tuple[str, str]) -> RunEvent:
    return RunEvent(owner=run, points=encode_points(points), points_model=model, points_dataset=dataset)


def _measured(metric: Metric) -> tuple[str, tuple[str, str]]:
    """The logged model and the data that a metric was measured on."""
    return metric.model_id or "", (metric.dataset_name or "", metric.dataset_digest or "")


def _metric_events(run: str, metrics: Sequence[Metric]) -> list[RunEvent]:
    """One event for each logged model and data that metrics of a batch were measured on, in order."""
    columns = _columns(metrics)
    if len({(metric.model_id, metric.dataset_name, metric.dataset_digest) for metric in metrics}) == 1:
        return [_event(run, points_of_columns(*columns), *_measured(metrics[0]))]
    groups: dict[tuple[str, tuple[str, str]], Points] = {}
    for metric, *point in zip(metrics, *columns, strict=True):
        groups.setdefault(_measured(metric), Points()).add(*point)
    return [_event(run, points, *measured) for measured, points in groups.items()]


def _columns(metrics: Sequence[Any]) -> Any:
    """Names, steps, values and moments of `Metric`s; Refused, naming place and field, where one is no point."""
    try:
        # An array takes nothing but whole numbers of 64 bits, or numbers: it is the check of each.
        names = [metric.key for metric in metrics]
        steps = array("q", [metric.step for metric in metrics])
        values = array("d", [metric.value for metric in metrics])
        moments = array("q", [metric.timestamp for metric in metrics])
    except (TypeError, OverflowError):
        pass
    else:
        if all(names) and min(moments, default=0) >= 0 and max(moments, default=0) <= MOST_MILLISECONDS:
            return names, steps, values, array("q", [moment * 1000 for moment in moments])
    # Not as today's client writes it, or wrong: one by one, each field by its rule.
    points = [_point(metric, f"metrics[{place}].") for place, metric in enumerate(metrics)]
    return tuple(zip(*points, strict=True))


def _point(metric: Metric, path: str) -> tuple[str, int, float, int]:
    return (
        required(metric.key, f"{path}key"),
        0 if metric.step is None else whole(metric.step, f"{path}step"),
        real(metric.value, f"{path}value"),
        moment_us(metric.timestamp, f"{path}timestamp"),
    )


def _parameters(params: Sequence[Tag]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for place, param in enumerate(params):
        key = required(param.key, f"params[{place}].key")
        if key in parameters:
            raise Refused(400, f"params: {key[:60]!r} stands in the batch twice")
        parameters[key] = param.value or ""
    return parameters


def _require_size(metrics: int, params: int, tags: int) -> None:
    for what, count, most in (
        ("metrics", metrics, MOST_METRICS),
        ("params", params, MOST_PARAMETERS),
        ("tags", tags, MOST_TAGS),
        ("metrics, params, and tags", metrics + params + tags, MOST_ALL),
    ):
        if count > most:
            raise Refused(
                400, f"A batch can contain at most {most} {what}, not {count}: send them in several batches."
            )


def _asked(body: LogValue) -> tuple[str, str]:
    return required(body.run_id or body.run_uuid, "run_id"), required(body.key, "key")


def log_routes(tracking: Tracking) -> list[Route]:
    """Routes under `runs/` by which metrics, parameters and tags come in."""
    of, log = _Log(tracking, Gather(tracking.logbook)), Permission.LOG
    return [
        *twins("POST", "/runs/log-metric", log, of.metric, "Log a point of a metric.", body=LogMetric),
        *twins("POST", "/runs/log-parameter", log, of.parameter, "Log a parameter.", body=LogValue),
        *twins("POST", "/runs/set-tag", log, of.set_tag, "Set a tag.", body=LogValue),
        *twins("POST", "/runs/delete-tag", log, of.delete_tag, "Take a tag away.", body=LogValue),
        *twins(
            "POST",
            "/runs/log-batch",
            log,
            of.batch,
            "Log metrics, parameters and tags.",
            body=LogBatch,
            most_bytes=BATCH_BYTES,
        ),
    ]
