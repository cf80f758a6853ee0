"""What runs say about themselves, sent to a server."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from trimtab.adapters.control_client.connection import Connection, place
from trimtab.atoms.metric_point import Points, series_points
from trimtab.atoms.run import LoggedDataset
from trimtab.atoms.run_account import Number, read_number, written, written_all

#: Points that are sent in one call; more are cut into several.
MOST_POINTS = 20_000


class _Logged(msgspec.Struct):
    run: str


class _Series(msgspec.Struct):
    steps: list[int]
    values: list[Number]
    at_us: list[int]


class RemoteLogbook:
    """As `trimtab.tracking.logbook.Logbook`; errors are those of `Connection.ask`.

    The same thing logged twice is logged once, so whoever got no answer may log it again.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def log(
        self,
        run: str,
        *,
        points: Iterable[tuple[str, int, float, int | None]] = (),
        parameters: Mapping[str, str] | None = None,
        tags: Mapping[str, str | None] | None = None,
        datasets: Sequence[LoggedDataset] = (),
    ) -> None:
        """Log about a run; durable when it returns.

        Args:
            points: Metric, step, value, and microseconds since 1970 or None: now, each.
            tags: None takes a tag away.
        """
        rows: list[dict[str, Any]] = [
            {"metric": metric, "step": step, "value": written(value), "at_us": at_us}
            for metric, step, value, at_us in points
        ]
        body: dict[str, Any] = {
            "points": rows[:MOST_POINTS],
            "parameters": dict(parameters or {}),
            "tags": dict(tags or {}),
            "datasets": list(datasets),
        }
        self._send(run, body)
        for start in range(MOST_POINTS, len(rows), MOST_POINTS):
            self._send(run, {"points": rows[start : start + MOST_POINTS]})

    def log_series(
        self,
        run: str,
        metric: str,
        steps: Sequence[int],
        values: Sequence[float],
        at_us: int | Sequence[int] | None = None,
    ) -> None:
        """Log many points of one metric from lists or arrays; durable when it returns.

        Args:
            at_us: Microseconds since 1970, UTC; one for all, one each, or None: now.
        """
        points = series_points(metric, steps, values, 0 if at_us is None else at_us)
        moments = points.at_us.tolist()
        for start in range(0, len(points), MOST_POINTS):
            stretch = slice(start, start + MOST_POINTS)
            series = {
                "steps": points.steps[stretch].tolist(),
                "values": written_all(points.values[stretch]),
                "at_us": None
                if at_us is None
                else moments[0]
                if isinstance(at_us, int)
                else moments[stretch],
            }
            self._send(run, {"series": {metric: series}})

    def points(self, run: str, metric: str, most: int | None = None) -> Points:
        """Every point of one metric; with `most`, at least 10, so many of them that draw the same line."""
        told = self._connection.ask(
            "GET", place("runs", run, "metrics", rest=metric), _Series, query={"most": most}
        )
        if not told.steps:
            return Points()
        return series_points(metric, told.steps, list(map(read_number, told.values)), told.at_us)

    def _send(self, run: str, body: Mapping[str, Any]) -> None:
        self._connection.ask("POST", place("runs", run, "log"), _Logged, body=body)
