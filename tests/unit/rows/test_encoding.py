"""The same row has the same code, alone and among many."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.atoms.content.encoding import Encoding
from trimtab.atoms.error import UsageError
from trimtab.rows.encoding import FEW_ROWS, encode, learn_encoding

NAMES = ("x", "n", "b", "c")
LEARNT = pl.DataFrame(
    {
        "x": [1.0, float("nan"), 3.0, 4.0],
        "n": [1, 2, 3, 4],
        "b": [True, None, False, True],
        "c": ["b", "a", "b", None],
    }
)
CELL = st.tuples(
    st.none() | st.floats(),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.booleans(),
    st.none() | st.sampled_from(["a", "b", "new"]),
)


@given(st.lists(CELL, min_size=FEW_ROWS + 1, max_size=3 * FEW_ROWS))
def test_a_row_alone_is_the_row_in_a_batch(cells: list[tuple[object, ...]]) -> None:
    encoding = learn_encoding(LEARNT, NAMES)
    frame = pl.DataFrame(cells, schema=LEARNT.schema, orient="row")
    together = encode(frame, encoding)
    alone = np.concatenate([encode(frame.slice(place, 1), encoding) for place in range(frame.height)])
    assert together.tobytes() == alone.tobytes()
    assert together.dtype == np.float32
    assert together.flags["C_CONTIGUOUS"]


def test_codes_are_missing_other_and_by_frequency() -> None:
    encoding = learn_encoding(LEARNT, NAMES)
    assert encoding.columns[3].categories == ("b", "a")
    frame = pl.DataFrame({"x": [None, 2.5], "n": [7, None], "b": [None, True], "c": [None, "new"]})
    codes = encode(frame, encoding)
    assert codes[0].tolist()[1:] == [7.0, pytest.approx(float("nan"), nan_ok=True), 0.0]
    assert np.isnan(codes[0, 0])
    assert codes[1].tolist()[2:] == [1.0, 1.0]
    assert encode(LEARNT, encoding)[:, 3].tolist() == [2.0, 3.0, 2.0, 0.0]


def test_what_training_saw_is_learnt() -> None:
    columns = {column.name: column for column in learn_encoding(LEARNT, NAMES, most=1).columns}
    assert [columns[name].role for name in NAMES] == ["number", "number", "boolean", "category"]
    assert [columns[name].nullable for name in NAMES] == [True, False, True, True]
    assert columns["c"].open
    assert columns["c"].categories == ("b",)
    assert not learn_encoding(LEARNT, NAMES, most=2).columns[3].open


def test_two_encodings_alive_at_once_keep_their_own_tables() -> None:
    frame = pl.DataFrame({"c": ["a"]})
    codes = []
    for place in range(200):  # more than are held, so that identities are used again
        encoding = learn_encoding(pl.DataFrame({"c": ["a"] if place % 2 else ["b", "b", "a"]}), ["c"])
        codes.append(encode(frame, encoding)[0, 0])
    assert codes == [3.0, 2.0] * 100


def test_a_column_without_any_value_encodes() -> None:
    empty = pl.DataFrame({"c": pl.Series([None] * 20, dtype=pl.String)})
    encoding = learn_encoding(empty, ["c"])
    assert encode(empty, encoding).tolist() == [[0.0]] * 20
    assert encode(pl.DataFrame({"c": ["x"] * 20}), encoding).tolist() == [[1.0]] * 20
    assert encode(empty, Encoding(columns=())).shape == (20, 0)


def test_what_cannot_be_encoded_is_named() -> None:
    encoding = learn_encoding(LEARNT, NAMES)
    with pytest.raises(UsageError, match="no column 'x'"):
        encode(LEARNT.drop("x"), encoding)
    with pytest.raises(UsageError, match="'x' is String, but a number was learnt"):
        encode(LEARNT.with_columns(x=pl.lit("1")), encoding)
    with pytest.raises(UsageError, match="'l' is List"):
        learn_encoding(pl.DataFrame({"l": [[1]]}), ["l"])
