"""What a request brings is read in the training rows' types, or refused by column, rule and row."""

import json
import math
from datetime import UTC, date, datetime, time
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.atoms.content.snapshot import Column
from trimtab.rows.column import columns_of
from trimtab.rows.encoding import learn_encoding
from trimtab.rows.request_row import RowsRefused, json_rows, read_rows

SCHEMA: dict[str, Any] = {
    "n": pl.Int64,
    "x": pl.Float64,
    "b": pl.Boolean,
    "c": pl.String,
    "at": pl.Datetime("us", "UTC"),
    "d": pl.Date,
    "t": pl.Time,
    "small": pl.UInt8,
}
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
CELLS = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.booleans(),
    st.none() | st.text(st.characters(exclude_categories=("Cs",))),
    st.none() | MOMENTS,
    st.none() | st.dates(date(1900, 1, 1)),
    st.none() | st.times(),
    st.none() | st.integers(0, 255),
)


@given(st.lists(CELLS, max_size=5))
def test_rows_survive_json(cells: list[tuple[object, ...]]) -> None:
    frame = pl.DataFrame(cells, schema=SCHEMA, orient="row")
    wire = json.loads(json.dumps(json_rows(frame), allow_nan=False))
    assert read_rows(wire, columns_of(frame), encoding=None, strict=True).equals(frame, null_equal=True)


GOOD = {
    "n": 1,
    "x": 1,
    "b": True,
    "c": "u",
    "at": "2013-01-31T05:00:00",
    "d": "2013-01-31",
    "t": "05:00",
    "small": 3.0,
}
INPUTS = columns_of(pl.DataFrame(schema=SCHEMA))


def test_whole_numbers_do_for_numbers_and_plain_moments_are_utc() -> None:
    frame = read_rows([GOOD], INPUTS, encoding=None, strict=True)
    assert frame.row(0) == (
        1,
        1.0,
        True,
        "u",
        datetime(2013, 1, 31, 5, tzinfo=UTC),
        date(2013, 1, 31),
        time(5),
        3,
    )
    assert read_rows([], INPUTS, encoding=None, strict=True).schema == pl.DataFrame(schema=SCHEMA).schema


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("n", 1.5, "type"),
        ("n", "1", "type"),
        ("n", True, "type"),
        ("n", 2**63, "type"),
        ("small", -1, "type"),
        ("small", 256, "type"),
        ("n", math.inf, "not finite"),
        ("x", "1", "type"),
        ("x", False, "type"),
        ("x", math.nan, "not finite"),
        ("x", 10**400, "type"),
        ("b", 1, "type"),
        ("c", 1, "type"),
        ("c", ["u"], "type"),
        ("at", 1359608400, "type"),
        ("at", "31/01/2013", "type"),
        ("d", "2013-02-30", "type"),
        ("t", {}, "type"),
    ],
)
def test_a_wrong_value_is_refused_by_column_rule_and_row(column: str, value: object, rule: str) -> None:
    with pytest.raises(RowsRefused) as refused:
        read_rows([GOOD, GOOD | {column: value}], INPUTS, encoding=None, strict=False)
    error = refused.value
    assert (error.column, error.rule, error.row) == (column, rule, 1)
    assert f"row 1: column '{column}': {rule}" in str(error)


def test_rows_of_another_shape_are_refused() -> None:
    inputs = (Column(name="n", dtype="Int64"),)
    for row, column, rule in [
        ({}, "n", "missing column"),
        ({"n": 1, "m": 1}, "m", "extra column"),
        ([1], "", "not a row"),
        (None, "", "not a row"),
    ]:
        with pytest.raises(RowsRefused) as refused:
            read_rows([row], inputs, encoding=None, strict=False)
        assert (refused.value.column, refused.value.rule, refused.value.row) == (column, rule, 0)


def test_strict_holds_rows_to_what_training_saw() -> None:
    trained = pl.DataFrame({"c": ["u", "v"], "x": [1.0, None]})
    encoding, inputs = learn_encoding(trained, ["c", "x"]), columns_of(trained)
    for value, rule in [("w", "unseen category"), (None, "missing value")]:
        row = {"c": value, "x": None}
        with pytest.raises(RowsRefused) as refused:
            read_rows([row], inputs, encoding=encoding, strict=True)
        assert (refused.value.column, refused.value.rule) == ("c", rule)
        assert read_rows([row], inputs, encoding=encoding, strict=False)["c"].to_list() == [value]
    opened = learn_encoding(trained, ["c", "x"], most=1)
    assert read_rows([{"c": "w", "x": 1.0}], inputs, encoding=opened, strict=True)["c"].to_list() == ["w"]
