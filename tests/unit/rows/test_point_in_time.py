"""The join gives what was known at a moment: held against a search row by row."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trimtab.atoms.error import UsageError
from trimtab.rows.moment import MOMENT
from trimtab.rows.point_in_time import entity_text, join_as_of, value_time, view_input, view_rows
from trimtab.spec.feature import FeatureView
from trimtab.spec.source import Source

START = datetime(2013, 1, 1, tzinfo=UTC)
ENTITIES = st.sampled_from(["a", "b", None])
MINUTES = st.integers(0, 20)
VALUES = st.lists(st.tuples(ENTITIES, MINUTES, MINUTES, st.integers(0, 99)), max_size=12)
ROWS = st.lists(st.tuples(ENTITIES, st.none() | MINUTES), max_size=8)


def at(minutes: int | None) -> datetime | None:
    return None if minutes is None else START + timedelta(minutes=minutes)


def view(*, known: bool = False, max_age: str | None = None) -> FeatureView:
    source = Source("s", "s.csv", event_time="at", known_time="known" if known else None)
    return FeatureView("v", source, "who", lambda rows: rows.select("who", "at", "known", "value"), max_age)


def stored(values: list[tuple[str | None, int, int, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(who, at(event), at(event + lag), value) for who, event, lag, value in values],
        schema={"who": pl.String, "at": MOMENT, "known": MOMENT, "value": pl.Int64},
        orient="row",
    )


def asked(rows: list[tuple[str | None, int | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(who, at(minutes)) for who, minutes in rows], schema={"who": pl.String, "t": MOMENT}, orient="row"
    )


@given(VALUES, ROWS, st.sampled_from([None, "4m"]))
def test_the_join_is_a_search_row_by_row(
    values: list[tuple[str | None, int, int, int]],
    rows: list[tuple[str | None, int | None]],
    max_age: str | None,
) -> None:
    """The newest event at or before the row, of two at one moment the last; none that is too old."""
    kept = view_rows(view(max_age=max_age), stored(values))
    frame = asked(rows)
    age = view_input(view(max_age=max_age), kept).max_age_seconds
    joined = join_as_of(frame, frame["t"], "who", kept, "at", ["value"], age)
    expected = []
    for who, minute in rows:
        past = [
            row
            for row in values
            if who is not None and row[0] == who and minute is not None and row[1] <= minute
        ]
        newest = max(past, key=lambda row: row[1], default=None)
        same = [row for row in past if newest is not None and row[1] == newest[1]]
        too_old = bool(same) and max_age is not None and (minute or 0) - same[-1][1] > 4
        expected.append(same[-1][3] if same and not too_old else None)
    assert joined["value"].to_list() == expected
    assert joined.select("who", "t").equals(frame)


@given(VALUES, ROWS)
@example([("a", 5, 0, 1), ("a", 1, 10, 2)], [("a", 12)])
def test_a_row_gets_the_newest_event_that_was_known(
    values: list[tuple[str | None, int, int, int]], rows: list[tuple[str | None, int | None]]
) -> None:
    """Backfills do not reach into the past: the future, by either clock, changes nothing."""
    kept = view_rows(view(known=True), stored(values))
    assert value_time(view(known=True)) == "known"
    frame = asked(rows)
    joined = join_as_of(frame, frame["t"], "who", kept, "known", ["at", "value"], None)
    for (who, minute), found in zip(rows, joined["at"].to_list(), strict=True):
        known = [
            row[1] for row in values if row[0] == who and minute is not None and row[1] + row[2] <= minute
        ]
        assert found == (at(max(known)) if known and who is not None else None)


@given(VALUES, ROWS, st.integers(0, 20))
def test_no_value_from_the_future_is_used(
    values: list[tuple[str | None, int, int, int]], rows: list[tuple[str | None, int | None]], cut: int
) -> None:
    """Forgetting everything after a moment changes no row before it."""
    frame = asked([(who, minute) for who, minute in rows if minute is not None and minute <= cut])
    past = [row for row in values if row[1] <= cut]
    full, less = view_rows(view(), stored(values)), view_rows(view(), stored(past))
    assert join_as_of(frame, frame["t"], "who", full, "at", ["value"], None).equals(
        join_as_of(frame, frame["t"], "who", less, "at", ["value"], None)
    )


def test_whole_numbers_are_one_entity_whatever_their_type() -> None:
    assert entity_text(pl.Series([7.0, 1.5, None])).to_list() == ["7", "1.5", None]
    assert entity_text(pl.Series([7])).to_list() == ["7"]


def test_a_view_must_keep_its_columns() -> None:
    source = Source("s", "s.csv", event_time="at")
    drops = FeatureView("v", source, "who", lambda rows: rows.select("who", "value"))
    with pytest.raises(UsageError, match="feature view 'v' dropped the column 'at'"):
        view_rows(drops, stored([("a", 1, 0, 1)]))
    assert [column.name for column in view_input(view(known=True), stored([])).columns] == ["value"]


def test_columns_and_entities_that_do_not_fit_are_named() -> None:
    frame, kept = asked([("a", 1)]), stored([("a", 1, 0, 1)])
    with pytest.raises(UsageError, match="'value' is in the rows and in a feature view"):
        join_as_of(frame.with_columns(value=1), frame["t"], "who", kept, "at", ["value"], None)
    with pytest.raises(UsageError, match="no column 'who'"):
        join_as_of(frame.drop("who"), frame["t"], "who", kept, "at", ["value"], None)
