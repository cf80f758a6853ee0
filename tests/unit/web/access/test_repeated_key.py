"""Keys that come twice: found wherever they are, however they are written, and nowhere else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.web.access.repeated_key import repeated_key


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"a": 1, "a": 2}', "a"),
        (b'{"a":1,"a":1}', "a"),
        (b'{"a" : {"b": [1, {"c": 0, "d": [], "c": 0}]}}', "c"),
        (b'[[{"a": 1}], [{"b": {}, "b": {}}]]', "b"),
        (b'{"a": 1, "\\u0061": 2}', "a"),
        (b'{"": 1, "": 2}', ""),
        (b'{"a:b": 1, "a:b": 2}', "a:b"),
        (b'{"a\\":": 1, "a\\":": 2}', 'a":'),
        ('{"é": 1, "\\u00e9": 2}'.encode(), "é"),
    ],
)
def test_a_key_that_comes_twice_is_found(body: bytes, key: str) -> None:
    assert repeated_key(body) == key


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"1",
        b'"a:a:a"',
        b'{"a": {"a": {"a": [{"a": 1}, {"a": 1}]}}}',
        b'{"a": "{\\"a\\": 1, \\"a\\": 2}"}',
        b'{"a": "a: a: a", "A": ":"}',
        b'{"e\\u0301": 1, "\\u00e9": 2}',
    ],
)
def test_what_only_looks_like_one_is_none(body: bytes) -> None:
    assert repeated_key(body) is None


class Pairs(list[tuple[str, object]]):
    """An object as it is written: a key may come twice."""


def written(value: object) -> str:
    if isinstance(value, Pairs):
        return "{" + ", ".join(f"{json.dumps(key)}: {written(each)}" for key, each in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value)


def has_two(value: object) -> bool:
    if isinstance(value, Pairs):
        keys = [key for key, _ in value]
        return len(keys) != len(set(keys)) or any(has_two(each) for _, each in value)
    return isinstance(value, list) and any(map(has_two, value))


texts = st.text(st.sampled_from('ab:"\\{}é'), max_size=2)
values = st.recursive(
    st.none() | st.integers(-9, 9) | texts,
    lambda inside: st.lists(inside, max_size=4) | st.lists(st.tuples(texts, inside), max_size=4).map(Pairs),
    max_leaves=12,
)


@given(values)
def test_any_json_is_judged_as_by_looking_at_every_object(value: object) -> None:
    assert (repeated_key(written(value).encode()) is not None) == has_two(value)
