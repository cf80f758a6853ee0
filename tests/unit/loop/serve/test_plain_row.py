"""Plain rows are read exactly as a frame would be, or not at all."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trimtab.atoms.content.encoding import ColumnEncoding, Encoding
from trimtab.atoms.content.snapshot import Column
from trimtab.loop.serve.loaded_bundle import Answers
from trimtab.loop.serve.plain_row import PlainRows
from trimtab.loop.serve.wire_value import wire_columns
from trimtab.rows.encoding import encode
from trimtab.rows.request_row import RowsRefused, read_rows

MOMENT = "Datetime(time_unit='us', time_zone='UTC')"
INPUTS = (
    Column(name="id", dtype="String"),
    Column(name="at", dtype=MOMENT),
    Column(name="x", dtype="Float64"),
    Column(name="n", dtype="Int64"),
    Column(name="small", dtype="UInt8"),
    Column(name="yes", dtype="Boolean"),
    Column(name="open", dtype="String"),
    Column(name="closed", dtype="String"),
)
ENCODING = Encoding(
    columns=(
        ColumnEncoding(name="closed", dtype="String", role="category", categories=("a", "b"), nullable=False),
        ColumnEncoding(name="open", dtype="String", role="category", categories=("a",), open=True),
        ColumnEncoding(name="yes", dtype="Boolean", role="boolean"),
        ColumnEncoding(name="small", dtype="UInt8", role="number", nullable=False),
        ColumnEncoding(name="n", dtype="Int64", role="number"),
        ColumnEncoding(name="x", dtype="Float64", role="number"),
    )
)
ROW = {
    "id": "r", "at": "2013-01-01T05:00:00Z", "x": 0.1, "n": 3, "small": 4, "yes": True, "open": "q",
    "closed": "b",
}  # fmt: skip
CELLS = {
    "id": st.text(max_size=3) | st.none(),
    "at": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat) | st.text(max_size=5) | st.none(),
    "x": st.floats() | st.integers() | st.none() | st.booleans(),
    "n": st.integers() | st.floats() | st.none(),
    "small": st.integers(-2, 300) | st.none(),
    "yes": st.booleans() | st.none() | st.integers(0, 1),
    "open": st.sampled_from(["a", "z"]) | st.none() | st.integers(),
    "closed": st.sampled_from(["a", "b", "z"]) | st.none(),
}


def by_frame(rows, strict):
    try:
        frame = read_rows(rows, INPUTS, encoding=ENCODING, strict=strict)
    except RowsRefused:
        return None
    features = frame.select([column.name for column in ENCODING.columns])
    return wire_columns(frame), wire_columns(features), encode(features, ENCODING)


@pytest.fixture
def plain(shop):
    return PlainRows.of(shop.manifest(inputs=INPUTS, encoding=ENCODING))


def test_an_ordinary_row_is_read(plain):
    inputs, features, matrix = plain.read([ROW], strict=True)
    wanted_inputs, wanted_features, wanted = by_frame([ROW], True)
    assert (inputs, features) == (wanted_inputs, wanted_features)
    assert list(inputs) == list(wanted_inputs)
    assert list(features) == list(wanted_features)
    np.testing.assert_array_equal(matrix, wanted)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.lists(st.sampled_from(sorted(CELLS)), max_size=2).flatmap(
            lambda names: st.fixed_dictionaries({name: CELLS[name] for name in names})
        ),
        min_size=1,
        max_size=3,
    ),
    strict=st.booleans(),
)
def test_what_is_read_is_what_a_frame_would_give(plain, changes, strict):
    rows = [ROW | change for change in changes]
    read = plain.read(rows, strict=strict)
    if read is None:
        return
    wanted = by_frame(rows, strict)
    assert wanted is not None, "read what the frame refuses"
    assert read[:2] == wanted[:2]
    np.testing.assert_array_equal(read[2], wanted[2])


@pytest.mark.parametrize("row", [{}, ROW | {"more": 1}, {**ROW, "x": "1"}, 7, None])
def test_the_extraordinary_is_left_to_the_frame(plain, row):
    assert plain.read([row], strict=True) is None


def test_a_model_with_feature_code_has_no_plain_rows(shop):
    assert PlainRows.of(shop.manifest(functions=("departure",))) is None


def test_both_ways_give_one_answer(shop):
    shop.plan(shop.bundle())
    bundle = shop.traffic().routes["late"].champion.loaded
    rows = [{"distance": 12.5, "carrier": "UA", "stops": 2}, {"distance": None, "carrier": "AA", "stops": 0}]
    plain, framed = bundle.answer_plain(rows, strict=True), bundle.answer(rows, shop.store.now(), strict=True)
    assert isinstance(plain, Answers)
    assert plain == framed
