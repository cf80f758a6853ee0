"""The difference of two tables is what holding every row against every other would find."""

from collections import Counter
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from trimtab.rows.table_diff import diff_tables

Row = tuple[int, float | None, str | None]
VALUES = st.tuples(st.one_of(st.none(), st.floats(allow_infinity=False)), st.sampled_from(["a", "b", None]))


def table(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"id": pl.Int64, "x": pl.Float64, "word": pl.String}, orient="row")


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)


@given(st.dictionaries(st.integers(0, 12), VALUES), st.dictionaries(st.integers(0, 12), VALUES))
def test_by_key(before: dict[int, Any], after: dict[int, Any]) -> None:
    found = diff_tables(
        [("1", table([(key, *row) for key, row in before.items()]))],
        [("1", table([(key, *row) for key, row in after.items()]))],
        ["id"],
    )
    both = before.keys() & after.keys()
    changed = {
        key for key in both if not same(tuple(map(_plain, before[key])), tuple(map(_plain, after[key])))
    }
    assert (found.added, found.removed) == (
        len(after.keys() - before.keys()),
        len(before.keys() - after.keys()),
    )
    assert (found.changed, found.unchanged) == (len(changed), len(both - changed))
    assert {row["id"] for row in found.sample.get("changed", [])} <= changed


def _plain(value: Any) -> Any:
    """Minus zero is zero to a table."""
    return value + 0.0 if isinstance(value, float) else value


@given(st.lists(st.tuples(st.integers(0, 3), st.just(1.0), st.just("a")), max_size=9), st.data())
def test_without_a_key_rows_are_counted(before: list[Row], data: st.DataObject) -> None:
    after = data.draw(st.lists(st.tuples(st.integers(0, 3), st.just(1.0), st.just("a")), max_size=9))
    found = diff_tables([("1", table(before))], [("1", table(after))], [])
    was, now = Counter(before), Counter(after)
    assert found.added == (now - was).total()
    assert found.removed == (was - now).total()
    assert (found.changed, found.unchanged) == (0, (was & now).total())


def test_rows_without_a_key_are_counted_as_they_are() -> None:
    before = pl.DataFrame({"id": [1, None, None, None], "x": [1, 7, 7, 8]})
    after = pl.DataFrame({"id": [1, None, None, None], "x": [2, 7, 9, 9]})
    found = diff_tables([("1", before)], [("1", after)], ["id"])
    assert (found.added, found.removed, found.changed, found.unchanged) == (2, 2, 1, 1)
    assert [row["x"] for row in found.sample["added"]] == [9, 9]


def test_a_key_that_comes_twice_is_told_apart_by_its_turn() -> None:
    before = pl.DataFrame({"id": [1, 1, 2], "x": [1, 2, 3]})
    after = pl.DataFrame({"id": [1, 1, 1, 2], "x": [1, 5, 6, 3]})
    found = diff_tables([("1", before)], [("1", after)], ["id"])
    assert (found.added, found.removed, found.changed, found.unchanged) == (1, 0, 1, 2)


def test_columns_spans_and_samples_are_told() -> None:
    before = pl.DataFrame({"id": [1, 2, 3], "x": [1, 2, 3], "gone": [0, 0, 0]})
    after = pl.DataFrame({"id": [2, 3, 4], "x": [2.0, 9.5, 4.0], "new": ["a", "b", "c"]})
    found = diff_tables([("1", before)], [("1", after.head(2)), ("2", after.tail(1))], ["id"])
    assert (found.added, found.removed, found.changed, found.unchanged) == (1, 1, 1, 1)
    assert (found.columns_added, found.columns_removed) == (["new"], ["gone"])
    assert found.retyped == [("x", "Int64", "Float64")]
    assert found.spans == {"1": (0, 1, 1), "2": (1, 0, 0)}
    assert found.sample["changed"] == [{"id": 3, "x": 9.5, "was": {"x": 3.0}}]
    assert found.sample["added"] == [{"id": 4, "x": 4.0}]
    assert found.sample["removed"] == [{"id": 1, "x": 1.0}]


def test_one_side_may_be_empty() -> None:
    rows = pl.DataFrame({"id": [1, 2], "at": [float("nan"), None]})
    found = diff_tables([], [("1", rows)], ["id"])
    assert (found.added, found.removed, found.unchanged) == (2, 0, 0)
    assert found.sample["added"] == [{"id": 1, "at": "nan"}, {"id": 2, "at": None}]
    assert diff_tables([("1", rows)], [], ["id"]).removed == 2
    assert diff_tables([], [], ["id"]).added == 0
