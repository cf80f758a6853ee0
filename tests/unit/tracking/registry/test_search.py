"""Conditions held against registered models and versions."""

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.atoms.error import UsageError
from trimtab.tracking.filter import parse_filter, parse_order
from trimtab.tracking.registry.search import found, ordered

THINGS = [
    ({"name": "Wind", "version_number": 1}, {"team": "a"}),
    ({"name": "storm", "version_number": 10}, {"team": "b%", "x": ""}),
    ({"name": "wine_y", "version_number": 9}, {}),
]


def names(text: str) -> list[str]:
    where = parse_filter(text, of="model versions")
    return [str(thing[0]["name"]) for thing in found(THINGS, where, lambda thing: thing)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ["Wind", "storm", "wine_y"]),
        ("name = 'Wind'", ["Wind"]),
        ("name != 'Wind'", ["storm", "wine_y"]),
        ("name LIKE 'wi%'", ["wine_y"]),
        ("name ILIKE 'wi%'", ["Wind", "wine_y"]),
        ("name LIKE '%o%'", ["storm"]),
        ("name LIKE 'W_nd'", ["Wind"]),
        ("name LIKE '%%'", ["Wind", "storm", "wine_y"]),
        ("name LIKE 'Wind%Wind'", []),
        ("name IN ('storm', 'Wind')", ["Wind", "storm"]),
        ("version_number > 9", ["storm"]),
        ("version_number >= 9 AND name LIKE '%y'", ["wine_y"]),
        ("tags.team = 'a'", ["Wind"]),
        ("tags.team != 'a'", ["storm"]),
        ("tags.x = ''", ["storm"]),
        ("tags.team IS NULL", ["wine_y"]),
        ("tags.team IS NOT NULL", ["Wind", "storm"]),
    ],
)
def test_a_condition_finds_what_it_says(text: str, wanted: list[str]) -> None:
    assert names(text) == wanted


def test_an_order_sorts_numbers_as_numbers() -> None:
    order = parse_order(["version_number DESC"], of="model versions")
    assert [thing[0]["version_number"] for thing in ordered(THINGS, order, lambda thing: thing)] == [10, 9, 1]
    with pytest.raises(UsageError, match="not ordered by tag"):
        ordered(THINGS, parse_order(["tags.team"], of="model versions"), lambda thing: thing)


@given(pattern=st.text("ab%_", max_size=8), text=st.text("abc", max_size=8))
def test_a_pattern_means_what_the_file_systems_one_does(pattern: str, text: str) -> None:
    where = parse_filter(f"name LIKE '{pattern}'", of="model versions")
    hit = bool(found([({"name": text}, {})], where, lambda thing: thing))
    assert hit == fnmatch.fnmatchcase(text, pattern.replace("%", "*").replace("_", "?"))


def test_no_pattern_is_slow() -> None:
    where = parse_filter(f"tags.t LIKE '{'%a' * 300}%b'", of="model versions")
    began = time.monotonic()
    assert found([({}, {"t": "a" * 50_000})], where, lambda thing: thing) == []
    assert time.monotonic() - began < 2
