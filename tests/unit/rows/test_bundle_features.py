"""A request's features are the stored rows' features."""

import json
import math
from datetime import UTC, date, datetime, time, timedelta

import msgspec
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.atoms.content.bundle import Bundle, Manifest
from trimtab.atoms.error import UsageError
from trimtab.ports.online_features import FeatureValue
from trimtab.rows.bundle_features import BundleFeatures
from trimtab.rows.encoding import learn_encoding
from trimtab.rows.moment import MOMENT
from trimtab.rows.offline_features import offline_features
from trimtab.rows.online_value import cell_reader, online_value
from trimtab.rows.point_in_time import entity_text, microseconds, view_input, view_rows
from trimtab.spec.feature import FeatureView, RequestFeatures
from trimtab.spec.source import Source
from trimtab.testing.memory_online_features import MemoryOnlineFeatures
from trimtab.testing.workbench import Workbench

START = datetime(2013, 1, 1, tzinfo=UTC)
WEATHER = FeatureView(
    "sky",
    Source("weather", "w.csv", event_time="seen"),
    "place",
    lambda rows: rows.select("place", "seen", "wind", "day"),
    max_age="5m",
)
DOUBLE = RequestFeatures("double", lambda rows: rows.with_columns(twice=pl.col("x") * 2))
PLACES = st.none() | st.integers(1, 3)
VALUES = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 20), st.none() | st.floats()), max_size=10)
ROWS = st.lists(st.tuples(PLACES, st.integers(0, 20), st.floats(-1, 1)), min_size=1, max_size=6)


def stored(values: list[tuple[int, int, float | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(place, START + timedelta(minutes=minute), wind, START.date()) for place, minute, wind in values],
        schema={"place": pl.Int64, "seen": MOMENT, "wind": pl.Float64, "day": pl.Date},
        orient="row",
    )


def asked(rows: list[tuple[int | None, int, float]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(place, START + timedelta(minutes=minute), x) for place, minute, x in rows],
        schema={"place": pl.Int64, "at": MOMENT, "x": pl.Float64},
        orient="row",
    )


def put_online(values: pl.DataFrame) -> MemoryOnlineFeatures:
    online = MemoryOnlineFeatures()
    cells = values.select("wind", "day").iter_rows()
    places = zip(entity_text(values["place"]), microseconds(values["seen"]), cells, strict=True)
    online.put(
        "sky",
        [FeatureValue(entity=e, event_time_us=t, values=tuple(map(online_value, v))) for e, t, v in places],
    )
    return online


def manifest(frame: pl.DataFrame, values: pl.DataFrame, *, event_time: str | None = "at") -> Manifest:
    bench = Workbench()
    encoding = learn_encoding(frame, ["wind", "twice", "place"])
    trained = bench.model("toy", frame.with_columns(y=0), ["wind", "twice", "place"])
    bundle = bench.store.read(bench.bundle("toy", trained, encoding), Bundle).manifest
    return msgspec.structs.replace(bundle, views=(view_input(WEATHER, values),), event_time=event_time)


@given(VALUES, ROWS)
def test_serving_computes_what_training_computed(
    seen: list[tuple[int, int, float | None]], rows: list[tuple[int | None, int, float]]
) -> None:
    """Bit for bit, row by row and in a batch, NaN and infinities included."""
    values, frame = view_rows(WEATHER, stored(seen)), asked(rows)
    offline = offline_features(frame, [DOUBLE], [(WEATHER, values)], "at")
    bundle = BundleFeatures(manifest(offline, values), [DOUBLE], put_online(values))
    wanted = offline.select("wind", "twice", "place")
    assert bundle.frame(frame, START).equals(wanted, null_equal=True)
    alone = [bundle.frame(frame.slice(place, 1), START) for place in range(frame.height)]
    assert pl.concat(alone).equals(wanted, null_equal=True)


def test_without_an_event_time_values_are_read_as_of_now() -> None:
    values, frame = view_rows(WEATHER, stored([(1, 2, 7.0)])), asked([(1, 0, 0.5)])
    offline = offline_features(frame, [DOUBLE], [(WEATHER, values)], "at")
    bundle = BundleFeatures(manifest(offline, values, event_time=None), [DOUBLE], put_online(values))
    winds = [bundle.frame(frame, START + timedelta(minutes=now))["wind"][0] for now in (1, 2, 7, 8)]
    assert winds == [None, 7.0, 7.0, None]


def test_what_the_code_no_longer_gives_is_named() -> None:
    values, frame = view_rows(WEATHER, stored([(1, 2, 7.0)])), asked([(1, 0, 0.5)])
    offline = offline_features(frame, [DOUBLE], [(WEATHER, values)], "at")
    bundle = BundleFeatures(manifest(offline, values), [], put_online(values))
    with pytest.raises(UsageError, match="gives no column 'twice'"):
        bundle.frame(frame, START)


def test_a_view_needs_an_event_time_and_its_own_names() -> None:
    values, frame = view_rows(WEATHER, stored([(1, 2, 7.0)])), asked([(1, 0, 0.5)])
    for rows, moment, said in [
        (frame, None, "event_time="),
        (frame.with_columns(wind=1.0), "at", "have a column 'wind' too"),
        (frame.drop("place"), "at", "no column 'place'"),
    ]:
        with pytest.raises(UsageError, match=f"'sky'.*{said}"):
            offline_features(rows, [], [(WEATHER, values)], moment)


@pytest.mark.parametrize(
    ("cell", "dtype"),
    [
        (None, pl.Float64()),
        (1.5, pl.Float64()),
        (float("nan"), pl.Float64()),
        (float("-inf"), pl.Float32()),
        (3, pl.Int64()),
        (True, pl.Boolean()),
        ("nan", pl.String()),
        (START, MOMENT),
        (date(2013, 1, 31), pl.Date()),
        (time(5, 30), pl.Time()),
    ],
)
def test_an_online_cell_comes_back_as_it_was(cell: object, dtype: pl.DataType) -> None:
    wire = json.loads(json.dumps(online_value(cell), allow_nan=False))
    back = cell_reader(dtype)(wire)
    assert back == cell or (isinstance(cell, float) and math.isnan(cell) and math.isnan(back))
    assert pl.Series([back], dtype=dtype).dtype == dtype
