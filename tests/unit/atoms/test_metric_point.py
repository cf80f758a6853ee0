"""Points are kept bit for bit, and what is no point is refused by name."""

import math
import struct
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.atoms.error import StoreError, UsageError
from trimtab.atoms.metric_point import (
    Point,
    Points,
    decode_points,
    encode_point,
    encode_points,
    points_of_columns,
    series_points,
    sole_point,
)

WHOLE = st.integers(-(2**63), 2**63 - 1)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
POINTS = st.lists(st.tuples(NAMES, WHOLE, st.floats(allow_nan=True, width=64), WHOLE), max_size=30)


def bits(points: Any) -> list[tuple[str, int, bytes, int]]:
    return [(name, step, struct.pack("<d", value), at_us) for name, step, value, at_us in points]


@given(NAMES, WHOLE, st.floats(allow_nan=True, width=64), WHOLE)
def test_one_point_alone_has_the_record_of_one_among_points(
    name: str, step: int, value: float, at_us: int
) -> None:
    points = Points()
    points.add(name, step, value, at_us)
    assert encode_point(name, step, value, at_us) == encode_points(points)


@pytest.mark.parametrize(
    "point",
    [("", 1, 1.0, 1), ("a", 2**63, 1.0, 1), ("a", "1", 1.0, 1), ("a", 1, "x", 1), ("a", 1, 1.0, -(2**64))],
)
def test_what_is_no_point_has_no_record(point: Any) -> None:
    with pytest.raises(UsageError):
        encode_point(*point)


@given(POINTS)
def test_points_come_back_bit_for_bit(given_points: list[tuple[str, int, float, int]]) -> None:
    points = Points()
    points.extend(given_points)
    record = encode_points(points)
    assert bits(decode_points(record)) == bits(given_points)
    assert encode_points(decode_points(record)) == record


@given(POINTS)
def test_a_sole_point_is_read_as_it_is_among_others(given_points: list[tuple[str, int, float, int]]) -> None:
    points = Points()
    points.extend(given_points)
    sole = sole_point(encode_points(points))
    if len(given_points) == 1:
        assert repr(sole) == repr(tuple(next(iter(decode_points(encode_points(points))))))
    else:
        assert sole is None


@pytest.mark.parametrize(
    "harm", [lambda record: record[:-1], lambda record: record + b"x", lambda record: b"\2" + record[1:],
             lambda record: record.replace(b"loss", b"\xff\xff\xff\xff"), lambda record: b""]
)  # fmt: skip
def test_what_is_no_record_of_one_point_holds_none(harm: Callable[[bytes], bytes]) -> None:
    points = Points()
    points.add("loss", 1, 2.0, 3)
    assert sole_point(encode_points(points)) == ("loss", 1, 2.0, 3)
    assert sole_point(harm(encode_points(points))) is None


def test_the_form_is_the_one_that_is_written_down() -> None:
    points = Points()
    points.add("loss", 7, 0.5, 9)
    head = bytes([1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0]) + b"loss"
    assert encode_points(points) == head + struct.pack("<qdq", 7, 0.5, 9)
    points.add("acc", 8, math.inf, 10)
    head = bytes([1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 4, 0]) + b"loss\3\0acc"
    assert encode_points(points) == head + struct.pack("<IIqqddqq", 0, 1, 7, 8, 0.5, math.inf, 9, 10)


@pytest.mark.parametrize(
    ("steps", "values"),
    [
        ([1, 2, 3], [1.0, math.nan, 3.0]),
        (range(1, 4), (1, math.nan, 3)),
        (array("q", [1, 2, 3]), array("d", [1, math.nan, 3])),
        (array("i", [1, 2, 3]), array("f", [1, math.nan, 3])),
        (np.array([1, 2, 3]), np.array([1, np.nan, 3])),
        (np.array([1, 2, 3], np.int16), np.array([1, np.nan, 3], np.float32)),
        (np.array([1, 2, 3], ">i8"), np.array([1, np.nan, 3], ">f8")),
        (np.array([1, 2, 3], object), np.array([1, np.nan, 3], np.float16)),
        (np.array([1, 2, 3]), np.array([1, np.nan, 3], np.longdouble)),
        (np.array([1, 0, 2, 0, 3, 0])[::2], np.array([1, 0, np.nan, 0, 3, 0])[::2]),
        (memoryview(array("q", [1, 2, 3])), [np.float64(1), np.nan, np.int64(3)]),
    ],
)
def test_columns_may_come_as_anything_that_holds_numbers(steps: Any, values: Any) -> None:
    points = series_points("loss", steps, values, 5)
    expected = [("loss", 1, 1.0, 5), ("loss", 2, math.nan, 5), ("loss", 3, 3.0, 5)]
    assert bits(decode_points(encode_points(points))) == bits(expected)
    assert bits(series_points("loss", steps, values, steps)) == bits(
        [(name, step, value, step) for name, step, value, _ in expected]
    )


def test_columns_of_many_metrics_are_the_points_that_were_added_one_by_one() -> None:
    metrics, steps, values, at_us = ["b", "a", "b"], [3, -1, 2], [0.5, math.nan, 7], [10, 11, 12]
    one_by_one = Points()
    one_by_one.extend(zip(metrics, steps, values, at_us, strict=True))
    together = points_of_columns(metrics, steps, values, at_us)
    assert encode_points(together) == encode_points(one_by_one)
    assert bits(points_of_columns(metrics, steps, values, 10)) == bits(
        [("b", 3, 0.5, 10), ("a", -1, math.nan, 10), ("b", 2, 7.0, 10)]
    )
    for wrong in (["b", "a"], [*metrics, "c"], ["b", "", "b"]):
        with pytest.raises(UsageError):
            points_of_columns(wrong, steps, values, at_us)


@pytest.mark.parametrize(
    "point",
    [
        ("", 0, 1.0, 0),
        ("x" * 1001, 0, 1.0, 0),
        ("\ud800", 0, 1.0, 0),
        (None, 0, 1.0, 0),
        ("loss", 0.5, 1.0, 0),
        ("loss", 2**63, 1.0, 0),
        ("loss", 0, "1", 0),
        ("loss", 0, None, 0),
        ("loss", 0, 10**400, 0),
        ("loss", 0, 1.0, 2**63),
        ("loss", 0, 1.0, None),
    ],
)
def test_what_is_no_point_is_refused_and_nothing_of_it_is_taken(point: Any) -> None:
    points = Points()
    points.add("loss", 1, 2.0, 3)
    with pytest.raises(UsageError):
        points.add(*point)
    points.add("loss", 2, 2.0, 3)
    assert list(points) == [Point("loss", 1, 2.0, 3), Point("loss", 2, 2.0, 3)]


@pytest.mark.parametrize(
    ("steps", "values", "at_us"),
    [
        ([1], [1.0, 2.0], 0),
        ([1, 2], [1.0, 2.0], [0]),
        ([0.5], [1.0], 0),
        (["1"], [1.0], 0),
        (np.zeros((1, 1), np.int64), [1.0], 0),
        ([1], ["1"], 0),
        ([1], [1.0], 2**63),
        ([1], np.array([1 + 1j]), 0),
        ([1], np.array(["1"], object), 0),
    ],
)
def test_columns_that_make_no_points_are_refused(steps: Any, values: Any, at_us: Any) -> None:
    with pytest.raises(UsageError, match="metric 'loss'"):
        series_points("loss", steps, values, at_us)


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_record_that_was_cut_is_no_record(cut: int) -> None:
    points = Points()
    points.extend([("loss", 1, 1.0, 1), ("acc", 2, 2.0, 2)])
    record = encode_points(points)
    with pytest.raises(StoreError):
        decode_points(record[:-cut])
    with pytest.raises(StoreError):
        decode_points(record + bytes(cut))


def test_a_later_form_is_refused_by_its_number() -> None:
    with pytest.raises(StoreError, match="form 2"):
        decode_points(bytes([2]) + bytes(20))
