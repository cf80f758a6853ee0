"""Metric points of a run, as they are read: all of them, or sealed for good."""

from array import array
from collections.abc import Iterator, Sequence
from operator import lt
from typing import NamedTuple

from trimtab.atoms.error import StoreError
from trimtab.atoms.metric_point import Points, decode_points, encode_points

#: What a sealed run's points are kept as.
POINTS_MEDIA_TYPE = "application/vnd.trimtab.points"
_MAGIC = b"TTPOINT1"


class Series(NamedTuple):
    """Points of one metric: ascending by step, those of one step by moment, then as they were logged."""

    steps: "array[int]"
    values: "array[float]"
    #: Microseconds since 1970, UTC.
    at_us: "array[int]"

    def chosen(self, places: Sequence[int]) -> "Series":
        """The points at these places, in their order."""
        return Series(
            array("q", [self.steps[place] for place in places]),
            array("d", [self.values[place] for place in places]),
            array("q", [self.at_us[place] for place in places]),
        )


class RunPoints:
    """What one run logged so far; grows by `take`."""

    def __init__(self) -> None:
        #: By metric, as it came.
        self._came: dict[str, Series] = {}
        self._sorted: dict[str, Series] = {}

    def metrics(self) -> list[str]:
        """Names of the metrics, sorted."""
        return sorted(self._came)

    def series(self, metric: str) -> Series:
        """Every point of one metric in order; without points where nobody logged it."""
        if metric not in self._came:
            return _nothing()
        if metric not in self._sorted:
            self._sorted[metric] = _in_order(self._came[metric])
        return self._sorted[metric]

    def sealed(self) -> bytes:
        """Every point of every metric, exactly: the bytes of a part. The same points in order give the same bytes."""
        pieces = [_MAGIC]
        for metric in self.metrics():
            points = Points()
            points.names[metric] = 0
            points.steps, points.values, points.at_us = self._came[metric]
            points.metrics = array("I", bytes(4 * len(points.values)))
            record = encode_points(points)
            pieces += [len(record).to_bytes(8, "little"), record]
        return b"".join(pieces)

    def take(self, points: Points) -> None:
        """Add points in the order in which they were logged."""
        count = len(points)
        moments = points.at_us if len(points.at_us) == count else points.at_us * count
        for metric, places in _by_metric(points):
            mine = self._came.setdefault(metric, _nothing())
            self._sorted.pop(metric, None)
            if places is None:
                columns = Series(points.steps, points.values, moments)
            else:
                columns = Series(points.steps, points.values, moments).chosen(places)
            mine.steps.extend(columns.steps)
            mine.values.extend(columns.values)
            mine.at_us.extend(columns.at_us)


def read_sealed(body: bytes) -> RunPoints:
    """The points that `RunPoints.sealed` wrote.

    Raises:
        StoreError: These are no such bytes.
    """
    if not body.startswith(_MAGIC):
        raise StoreError("these bytes are no sealed metric points")
    run, position = RunPoints(), len(_MAGIC)
    while position < len(body):
        first = position + 8
        position = first + int.from_bytes(body[first - 8 : first], "little")
        if position > len(body):
            raise StoreError("these sealed metric points are cut short")
        run.take(decode_points(memoryview(body)[first:position]))
    return run


def _nothing() -> Series:
    return Series(array("q"), array("d"), array("q"))


def _by_metric(points: Points) -> Iterator[tuple[str, list[int] | None]]:
    """Each metric with the places of its points; None for all of them."""
    if len(points.names) == 1:
        yield next(iter(points.names)), None
        return
    places: list[list[int]] = [[] for _ in points.names]
    for place, metric in enumerate(points.metrics):
        places[metric].append(place)
    yield from zip(points.names, places, strict=True)


def _in_order(series: Series) -> Series:
    steps = series.steps
    if all(map(lt, steps, steps[1:])):
        return series
    order = sorted(zip(steps, series.at_us, range(len(steps)), strict=True))
    return series.chosen([place for _, _, place in order])
