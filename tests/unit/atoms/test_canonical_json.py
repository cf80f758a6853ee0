"""One value, one byte form: pinned by literal bytes and held by properties."""

import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.atoms.canonical_json import canonical_json, plain

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, b"null"),
        (True, b"true"),
        (0, b"0"),
        (-0.0, b"0.0"),
        (1.0, b"1.0"),
        (0.1, b"0.1"),
        (1e22, b"1e+22"),
        (5e-324, b"5e-324"),
        (12345678901234567890, b"12345678901234567890"),
        ('é\n"\\/\u2028', b'"\xc3\xa9\\n\\"\\\\/\xe2\x80\xa8"'),
        ((1, [2, ()]), b"[1,[2,[]]]"),
        (
            {"b": 1, "a": {"z": None, "Z": 2}, "é": 3, "": 4},
            b'{"":4,"a":{"Z":2,"z":null},"b":1,"\xc3\xa9":3}',
        ),
    ],
)
def test_the_bytes_are_pinned(value: object, written: bytes) -> None:
    assert canonical_json(value) == written


@given(VALUES)
def test_reading_gives_the_value_back_and_writing_again_the_bytes(value: object) -> None:
    written = canonical_json(value)
    read = json.loads(written)
    assert read == value
    assert canonical_json(read) == written
    assert msgspec.json.decode(written) == read


@given(st.dictionaries(st.text(), st.integers()), st.randoms())
def test_the_order_of_keys_does_not_matter(value: dict[str, int], dice: object) -> None:
    keys = list(value)
    dice.shuffle(keys)  # type: ignore[attr-defined]
    assert canonical_json({key: value[key] for key in keys}) == canonical_json(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, [math.nan], {"a": {"b": math.inf}}])
def test_a_number_without_a_word_in_json_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        canonical_json(value)


@pytest.mark.parametrize("value", [{1: 2}, {"a": {None: 1}}, b"bytes", {1, 2}, object()])
def test_another_type_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


def test_a_whole_number_in_a_floats_place_is_that_float() -> None:
    class Pair(msgspec.Struct):
        share: float
        rows: int

    assert canonical_json(plain(Pair(share=1, rows=1))) == b'{"rows":1,"share":1.0}'
