"""Histories of metrics, in MLflow's protocol: in order of time, whole, by the page, or a sample of them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from trimtab.atoms.error import NotThere
from trimtab.atoms.metric_point import Points
from trimtab.tracking.tracking import Tracking
from trimtab.web.access.permission import Permission
from trimtab.web.mlflow.answer import Json, metric_answer
from trimtab.web.mlflow.number import page_limit, required, whole
from trimtab.web.mlflow.offset import next_offset, offset_of
from trimtab.web.mlflow.twin import twins
from trimtab.web.route import Call, Refused, Route

#: What one answer may hold, by MLflow's rules.
MOST_A_PAGE, MOST_IN_BULK, MOST_A_SAMPLE, MOST_RUNS = 1_000_000, 25_000, 2500, 100


class HistoryQuery(msgspec.Struct, frozen=True):
    """Query of `metrics/get-history`."""

    run_id: str | None = None
    run_uuid: str | None = None
    metric_key: str | None = None
    page_token: str | None = None
    max_results: str | None = None


class BulkQuery(msgspec.Struct, frozen=True):
    """Query of `metrics/get-history-bulk`."""

    run_id: list[str] = []
    metric_key: str | None = None
    max_results: str | None = None


class SampleQuery(msgspec.Struct, frozen=True):
    """Query of `metrics/get-history-bulk-interval`."""

    run_ids: list[str] = []
    metric_key: str | None = None
    start_step: str | None = None
    end_step: str | None = None
    max_results: str | None = None


class _Seen(NamedTuple):
    """A point as MLflow's clients see it."""

    timestamp: int
    step: int
    #: For the order only: NaN stands where nought does.
    place: float
    value: float


@dataclass(frozen=True, slots=True)
class _Histories:
    tracking: Tracking

    def one(self, call: Call) -> Json:
        asked: HistoryQuery = call.query
        run = required(asked.run_id or asked.run_uuid, "run_id")
        key = required(asked.metric_key, "metric_key")
        first = offset_of(asked.page_token)
        most = page_limit(asked.max_results, "max_results", 0, MOST_A_PAGE)
        points = sorted(_seen(self.tracking.logbook.points(run, key)))
        page = points[first : first + most] if most else points[first:]
        answer: Json = {"metrics": [_answer(key, point) for point in page]} if page else {}
        if most and first + most < len(points):
            answer["next_page_token"] = next_offset(first + most)
        return answer

    def bulk(self, call: Call) -> Json:
        asked: BulkQuery = call.query
        key = required(asked.metric_key, "metric_key")
        runs = _runs(asked.run_id, "run_id")
        most = page_limit(asked.max_results, "max_results", MOST_IN_BULK, MOST_A_PAGE)
        found: list[Json] = []
        for run in sorted(set(runs)):
            found += [
                {**_answer(key, point), "run_id": run} for point in sorted(_seen(self._points(run, key)))
            ]
            if len(found) >= min(most, MOST_IN_BULK):
                break
        return {"metrics": found[: min(most, MOST_IN_BULK)]}

    def sample(self, call: Call) -> Json:
        asked: SampleQuery = call.query
        key = required(asked.metric_key, "metric_key")
        runs = _runs(asked.run_ids, "run_ids")
        most = page_limit(asked.max_results, "max_results", MOST_A_SAMPLE, MOST_A_SAMPLE)
        if (asked.start_step is None) != (asked.end_step is None):
            raise Refused(400, "start_step and end_step go together: give both, or neither")
        between = None
        if asked.start_step is not None:
            between = whole(asked.start_step, "start_step"), whole(asked.end_step, "end_step")
            if between[0] > between[1]:
                raise Refused(400, f"start_step {between[0]} is behind end_step {between[1]}")
        found: list[Json] = []
        for run in runs:
            points = sorted(_seen(self._points(run, key)), key=lambda point: (point.step, point))
            if between is not None:
                points = [point for point in points if between[0] <= point.step <= between[1]]
            found += [{**_answer(key, point), "run_id": run} for point in evenly(points, most)]
        return {"metrics": found} if found else {}

    def _points(self, run: str, metric: str) -> Points:
        try:
            return self.tracking.logbook.points(run, metric)
        except NotThere:
            return Points()


def evenly(points: list[_Seen], most: int) -> list[_Seen]:
    """At most so many of the points, evenly spread, with the first and the last among them.

    They are cut into as many stretches of equal length as may be, the longer ones first, and the first of each is
    taken; where only one may be, it is the last.
    """
    if len(points) <= most:
        return points
    length, longer = divmod(len(points), most)
    starts = [place * length + min(place, longer) for place in range(most)]
    return [*(points[start] for start in starts[:-1]), points[-1]]


def _seen(points: Points) -> Iterator[_Seen]:
    for point in points:
        place = 0.0 if math.isnan(point.value) else point.value
        yield _Seen(point.at_us // 1000, point.step, place, point.value)


def _answer(key: str, point: _Seen) -> Json:
    return metric_answer(key, point.value, point.timestamp * 1000, point.step)


def _runs(runs: list[str], field: str) -> list[str]:
    required(runs[0] if runs else None, field)
    if len(runs) > MOST_RUNS:
        raise Refused(400, f"{field}: {len(runs)} runs are asked for, and {MOST_RUNS} are the most")
    return runs


def history_routes(tracking: Tracking) -> list[Route]:
    """Routes under `metrics/`."""
    of, read = _Histories(tracking), Permission.READ
    return [
        *twins("GET", "/metrics/get-history", read, of.one, "History of a metric.", query=HistoryQuery),
        *twins(
            "GET",
            "/metrics/get-history-bulk",
            read,
            of.bulk,
            "Histories of a metric of several runs.",
            query=BulkQuery,
        ),
        *twins(
            "GET",
            "/metrics/get-history-bulk-interval",
            read,
            of.sample,
            "Samples of the histories of a metric of several runs.",
            query=SampleQuery,
        ),
    ]
