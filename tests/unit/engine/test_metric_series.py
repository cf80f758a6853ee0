"""Points of a run in columns: in order, sealed and read again, and as a picture of few."""

import math
import struct
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.atoms.error import StoreError
from trimtab.atoms.metric_point import Points, series_points
from trimtab.engine.metric_series import RunPoints, read_sealed
from trimtab.engine.picture import picture_of

POINT = st.tuples(st.sampled_from(["loss", "acc", "ä"]), st.integers(-5, 50), st.floats(), st.integers(0, 9))


def told(batch: list[tuple[str, int, float, int]]) -> Points:
    points = Points()
    points.extend(batch)
    return points


def test_points_of_each_metric_are_in_order_however_they_came() -> None:
    points = RunPoints()
    points.take(told([("loss", 2, 0.2, 20)]))
    points.take(told([("loss", 1, 0.1, 7), ("acc", 1, math.nan, 8)]))
    points.take(series_points("acc", [5, 4], [math.inf, -math.inf], [10, 11]))
    points.take(series_points("loss", [1], [-0.1], 3))
    assert points.metrics() == ["acc", "loss"]
    assert list(zip(*points.series("loss"), strict=True)) == [(1, -0.1, 3), (1, 0.1, 7), (2, 0.2, 20)]
    acc = points.series("acc")
    assert list(acc.steps) == [1, 4, 5]
    assert math.isnan(acc.values[0])
    assert list(acc.values[1:]) == [-math.inf, math.inf]
    assert len(points.series("nobody logged it").steps) == 0


@given(st.lists(st.lists(POINT, max_size=5), max_size=5))
def test_sealed_and_read_again_every_point_is_the_same(
    batches: list[list[tuple[str, int, float, int]]],
) -> None:
    points = RunPoints()
    for batch in batches:
        points.take(told(batch))
    body = points.sealed()
    again = read_sealed(body)
    assert again.sealed() == body
    flat = [point for batch in batches for point in batch]
    assert again.metrics() == sorted({name for name, *_ in flat})
    for metric in again.metrics():
        mine = [
            (step, at_us, struct.pack("<d", value)) for name, step, value, at_us in flat if name == metric
        ]
        steps, values, moments = again.series(metric)
        found = [
            (step, at, struct.pack("<d", value))
            for step, value, at in zip(steps, values, moments, strict=True)
        ]
        assert found == sorted(mine, key=lambda point: point[:2])


@pytest.mark.parametrize(
    "harm", [lambda body: body[:-1], lambda body: b"X" + body[1:], lambda body: body[:12]]
)
def test_bytes_that_are_no_sealed_points_are_refused(harm: object) -> None:
    points = RunPoints()
    points.take(told([("loss", 1, 1.0, 0)]))
    with pytest.raises(StoreError):
        read_sealed(harm(points.sealed()))  # type: ignore[operator]


def test_a_picture_has_few_points_and_all_points_stay() -> None:
    values = array("d", [math.sin(step / 500) for step in range(50_000)])
    values[31_415] = 9.0
    values[20_000] = math.nan
    points = RunPoints()
    points.take(series_points("loss", range(50_000), values, 0))
    series = points.series("loss")
    picture = picture_of(series, 500)
    assert len(picture.steps) <= 500
    assert (picture.steps[0], picture.steps[-1]) == (0, 49_999)
    assert 9.0 in picture.values
    assert picture.values[list(picture.steps).index(31_415)] == 9.0
    assert math.isnan(picture.values[list(picture.steps).index(20_000)])
    assert len(series.steps) == 50_000
    assert picture_of(series, 50_000) is series
