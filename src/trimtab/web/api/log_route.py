"""Routes of what a run logs: points, parameters, tags, datasets; and of reading a metric's points."""

import asyncio
from array import array
from typing import Any

from msgspec import UNSET

from trimtab.assembly.metric_picture import metric_picture
from trimtab.atoms.error import UsageError
from trimtab.atoms.metric_point import Points, encode_points, series_points
from trimtab.atoms.run import LoggedDataset
from trimtab.atoms.run_account import read_number, written_all
from trimtab.atoms.run_event import RunEvent
from trimtab.tracking.rule import microseconds_of
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.permission import Permission
from trimtab.web.api.answer import Logged, SeriesAnswer
from trimtab.web.api.body import LogBody
from trimtab.web.api.question import SeriesQuery
from trimtab.web.api.repeat import Repeats
from trimtab.web.route import Call, Route

#: Bytes of one call that logs: some 100,000 points in columns.
MOST_BYTES = 4_000_000
#: Points that are made into a record on the event loop; more are for a thread.
_FEW = 200


def log_routes(tracking: Tracking, repeats: Repeats) -> list[Route]:
    """Logging, and reading what was logged."""
    logs = _Logs(tracking, repeats)
    return [
        Route(
            "POST",
            "/api/v1/runs/{run}/log",
            Permission.LOG,
            logs.log,
            "Log metric points, parameters, tags and datasets of a run; durable once it is answered.",
            body=LogBody,
            answer=Logged,
            most_bytes=MOST_BYTES,
        ),
        Route(
            "GET",
            "/api/v1/runs/{run}/metrics/{metric:path}",
            Permission.READ,
            logs.series,
            "Every point of one metric of a run, or so many that draw the same line.",
            query=SeriesQuery,
            answer=SeriesAnswer,
        ),
    ]


class _Logs:
    def __init__(self, tracking: Tracking, repeats: Repeats) -> None:
        self._tracking, self._repeats = tracking, repeats

    async def log(self, call: Call) -> Any:
        body: LogBody = call.body
        run = call.path["run"]
        replayed = self._repeats.known(call, "log")
        if replayed is not None:
            return replayed
        if len(body.points) <= _FEW and not (body.series or body.parameters or body.tags or body.datasets):
            event, count = self._event(run, body)
            await asyncio.wrap_future(self._tracking.logbook.log_nowait([event])[0])
            answer = Logged(run=run, points=count)
        else:
            answer = await asyncio.to_thread(self._logged, run, body)
        self._repeats.note(call, "log", answer)
        return answer

    def series(self, call: Call) -> SeriesAnswer:
        asked: SeriesQuery = call.query
        run, metric = call.path["run"], call.path["metric"]
        points = self._tracking.logbook.points(run, metric)
        count = len(points)
        if asked.most is not UNSET:
            steps, values, moments = metric_picture(points, asked.most)
        else:
            steps, values, moments = points.steps, points.values, points.at_us
            if len(moments) != count:
                moments = array("q", [*moments] * count)
        return SeriesAnswer(
            run=run,
            metric=metric,
            count=count,
            steps=steps.tolist(),
            values=written_all(values),
            at_us=moments.tolist(),
        )

    def _logged(self, run: str, body: LogBody) -> Logged:
        event, count = self._event(run, body)
        self._tracking.logbook.log(event)
        return Logged(run=run, points=count)

    def _event(self, run: str, body: LogBody) -> tuple[RunEvent, int]:
        points = _points(body, microseconds_of(self._tracking.store.now()))
        event = RunEvent(
            owner=run,
            points=encode_points(points) if len(points) else b"",
            parameters=body.parameters,
            tags=body.tags,
            datasets=tuple(
                LoggedDataset(
                    name=each.name,
                    digest=each.digest,
                    source_type=each.source_type,
                    source=each.source,
                    schema=each.schema,
                    profile=each.profile,
                    tags=each.tags,
                )
                for each in body.datasets
            ),
        )
        return event, len(points)


def _points(body: LogBody, now_us: int) -> Points:
    points = Points()
    for each in body.points:
        at_us = now_us if each.at_us is None else each.at_us
        points.add(each.metric, each.step, read_number(each.value), at_us)
    for metric, series in body.series.items():
        if not metric:
            raise UsageError("series: a metric's name is 1 or more characters")
        values = list(map(read_number, series.values))
        moments = now_us if series.at_us is None else series.at_us
        columns = series_points(metric, series.steps, values, moments)
        if not len(points) and len(body.series) == 1:
            return columns
        points.extend(columns)
    return points
