"""A span that is as it was passes; a broken one fails by column, value and limit; a season is no fault."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from trimtab.atoms.check import Check, Verdict
from trimtab.atoms.content.content import Part
from trimtab.atoms.content.profile import Profile
from trimtab.atoms.content.schema import Schema
from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.error import UsageError
from trimtab.loop.validate import CARD
from trimtab.loop.validate.validate import failing, validate
from trimtab.rows.column import columns_of
from trimtab.rows.table import table_bytes
from trimtab.testing.workbench import Workbench

START = datetime(2013, 1, 1, tzinfo=UTC)
Change = Callable[[pl.DataFrame], pl.DataFrame]


def month(number: int, rows: int = 600) -> pl.DataFrame:
    """Rows of one month; temperatures follow the season, ids and months count."""
    random = np.random.default_rng(number)
    season = -10 * np.cos(2 * np.pi * number / 12)
    return pl.DataFrame(
        {
            "id": np.arange(number * rows, (number + 1) * rows),
            "at": [START + timedelta(days=30 * number, minutes=int(place)) for place in range(rows)],
            "month": [number + 1] * rows,
            "temperature": random.normal(10 + season, 4, rows).round(2),
            "distance": random.integers(80, 2500, rows),
            "carrier": random.choice(["AA", "B6", "DL", "UA"], rows, p=[0.2, 0.3, 0.25, 0.25]),
            "tail": [f"N{place}" for place in random.integers(0, 10**6, rows)],
            "delayed": random.random(rows) < 0.2,
            "gust": [None if gone else 1.0 for gone in random.random(rows) < 0.5],
        }
    )


class Year:
    """Months of one source, validated one after the other as the loop does it."""

    def __init__(self) -> None:
        self.bench = Workbench()
        self.schema: str | None = None
        self.profile: str | None = None

    def validate(self, name: str, rows: pl.DataFrame, ignored: tuple[str, ...] = ()) -> tuple[Check, ...]:
        content = table_bytes(rows)
        self.bench.store.blobs.put(content)
        part = Part(blob=digest_bytes(content), size_bytes=len(content))
        snapshot = self.bench.keep(
            Snapshot(
                source="flights",
                columns=columns_of(rows),
                spans=(Span(name=name, rows=rows.height, table=part),),
                key="id",
                event_time="at",
            )
        )
        schema, profile = self.schema, self.profile
        done = self.bench.run(
            CARD,
            "validate",
            lambda work: validate(
                work, snapshot, name, schema_id=schema, previous_profile_id=profile, ignored=ignored
            ),
            [each for each in (snapshot, schema, profile) if each],
        )
        if not failing(done.checks):
            self.profile = done.first("profile").id
        if done.all_of("schema"):
            self.schema = done.first("schema").id
        return done.checks

    def rules(self) -> Schema:
        assert self.schema is not None
        return self.bench.store.read(self.schema, Schema)

    def counted(self) -> Profile:
        assert self.profile is not None
        return self.bench.store.read(self.profile, Profile)


@pytest.fixture
def year() -> Year:
    year = Year()
    for number in range(2):
        year.validate(f"2013-{number + 1:02d}", month(number))
    return year


def found(checks: tuple[Check, ...], verdict: Verdict) -> set[tuple[str, str]]:
    return {(check.name, check.about) for check in checks if check.verdict is verdict}


def test_a_year_of_seasons_has_no_bad_month() -> None:
    year = Year()
    assert year.validate("2013-01", month(0)) == ()
    for number in range(1, 12):
        checks = year.validate(f"2013-{number + 1:02d}", month(number))
        assert failing(checks) == [], [check.says for check in failing(checks)]
        assert {check.name for check in checks} == {
            "schema.presence",
            "schema.type",
            "schema.missing",
            "schema.domain",
            "schema.range",
            "drift.adjacent",
        }


def test_bins_are_frozen_at_the_first_span(year: Year) -> None:
    first = Year()
    first.validate("2013-01", month(0))
    before, now = first.counted(), year.counted()
    for name in ("temperature", "distance", "carrier"):
        was, column = before.column(name), now.column(name)
        assert was is not None
        assert column is not None
        assert (was.edges, was.categories) == (column.edges, column.categories)
        assert sum(column.counts) == column.n - column.n_missing
        assert len(column.counts) == len(column.edges or column.categories) + 1
    shapes = {column.name: column.shape for column in now.columns}
    assert shapes["tail"] == "other"
    assert shapes["at"] == "time"
    assert shapes["delayed"] == "category"


def test_texts_that_name_things_are_not_kept(year: Year) -> None:
    tail = year.counted().column("tail")
    assert tail is not None
    assert tail.n_unique is not None
    assert tail.n_unique > 500
    assert tail.categories == tail.counts == ()


def test_rules_leave_room_where_seasons_need_it(year: Year) -> None:
    rules = {column.name: column for column in year.rules().columns}
    assert rules["carrier"].domain == ("AA", "B6", "DL", "UA")
    assert rules["tail"].domain == ()
    assert rules["month"].low is rules["at"].low is rules["id"].low is None
    assert rules["temperature"].low is not None
    assert rules["temperature"].low < -15
    assert rules["id"].max_missing == 0.0
    assert 0.5 < rules["gust"].max_missing <= 1.0


def missing_id(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(id=pl.when(pl.col("id") % 100 == 0).then(None).otherwise(pl.col("id")))


def new_carrier(share: int) -> Change:
    return lambda rows: rows.with_columns(
        carrier=pl.when(pl.int_range(pl.len()) % 100 < share).then(pl.lit("ZZ")).otherwise("carrier")
    )


BREAKS: dict[str, tuple[Change, str, str, str]] = {
    "a column is gone": (lambda rows: rows.drop("distance"), "schema.presence", "distance", "not there"),
    "a number is text": (
        lambda rows: rows.with_columns(distance=pl.col("distance").cast(pl.String) + " km"),
        "schema.type",
        "distance",
        "km' is no number",
    ),
    "whole numbers are not whole": (
        lambda rows: rows.with_columns(distance=pl.col("distance") * 0.77),
        "schema.type",
        "distance",
        "is no whole number",
    ),
    "a column is empty": (
        lambda rows: rows.with_columns(temperature=pl.lit(None, pl.Float64)),
        "schema.missing",
        "temperature",
        "100.0% of 'temperature' is missing, the limit is 10.0%",
    ),
    "keys are missing": (missing_id, "schema.missing", "id", "the limit is 0.0%"),
    "a unit changed": (
        lambda rows: rows.with_columns(distance=pl.col("distance") * 1609),
        "schema.range",
        "distance",
        "the limit is 1.00%",
    ),
    "many new values": (new_carrier(20), "schema.domain", "carrier", "such as 'ZZ'; the limit is 5.0%"),
    "another mix": (
        lambda rows: rows.with_columns(
            carrier=pl.when(pl.int_range(pl.len()) % 50 == 0).then(pl.lit("AA")).otherwise(pl.lit("B6"))
        ),
        "drift.adjacent",
        "carrier",
        "from the span before",
    ),
}


@pytest.mark.parametrize(("change", "rule", "column", "said"), BREAKS.values(), ids=BREAKS)
def test_a_break_fails_and_is_named(year: Year, change: Change, rule: str, column: str, said: str) -> None:
    before = year.schema
    checks = year.validate("2013-03", change(month(2)))
    assert (rule, column) in found(checks, Verdict.FAIL)
    check = next(each for each in checks if (each.name, each.about) == (rule, column))
    assert said in check.says
    assert column in check.says
    assert year.schema == before, "a span that failed teaches nothing"
    assert {about for _, about in found(checks, Verdict.FAIL)} == {column}


def test_a_few_new_values_pass_and_are_learnt(year: Year) -> None:
    assert failing(year.validate("2013-03", new_carrier(3)(month(2)))) == []
    rules = {column.name: column for column in year.rules().columns}
    assert "ZZ" in rules["carrier"].domain
    assert year.rules().learnt_from == ("2013-01", "2013-02", "2013-03")


def test_a_few_wild_values_are_shown_and_not_learnt(year: Year) -> None:
    wild = month(2).with_columns(
        distance=pl.when(pl.int_range(pl.len()) < 2).then(10**9).otherwise("distance")
    )
    checks = year.validate("2013-03", wild)
    assert found(checks, Verdict.UNSURE) == {("schema.range", "distance")}
    assert failing(year.validate("2013-04", month(3))) == []


def test_what_is_ignored_is_profiled_and_not_judged(year: Year) -> None:
    checks = year.validate("2013-03", month(2).with_columns(distance=pl.lit(None, pl.Int64)), ("distance",))
    assert failing(checks) == []
    assert year.counted().column("distance") is not None


def test_too_few_rows_cannot_tell() -> None:
    year = Year()
    year.validate("2013-01", month(0, rows=10))
    checks = year.validate("2013-02", month(1, rows=10))
    assert found(checks, Verdict.UNSURE) == {("drift.adjacent", "")}
    assert found(checks, Verdict.FAIL) == set()


def test_odd_columns_do_no_harm() -> None:
    odd = pl.DataFrame(
        {
            "id": [1, 2, 3, 4],
            "at": [START] * 4,
            "inf": [float("inf"), float("nan"), 1e308, -1e308],
            "null": pl.Series([None] * 4, dtype=pl.Null),
            "list": [[1], [], [2], None],
            "huge": pl.Series([2**63, 0, 1, None], dtype=pl.UInt64),
            "empty": pl.Series([None] * 4, dtype=pl.Float64),
        }
    )
    year = Year()
    year.validate("1", odd)
    assert failing(year.validate("2", odd)) == []
    infinite = year.counted().column("inf")
    assert infinite is not None
    assert (infinite.n_inf, infinite.n_nan) == (1, 1)


def test_the_same_span_has_the_same_profile() -> None:
    one, other = Year(), Year()
    for each in (one, other):
        each.validate("2013-01", month(0))
    assert (one.profile, one.schema) == (other.profile, other.schema)


def test_a_span_that_is_not_there_is_named(year: Year) -> None:
    snapshot = year.bench.keep(Snapshot(source="flights", columns=(), spans=()))
    with pytest.raises(UsageError, match="'flights' has no span '2013-99'"):
        year.bench.run(
            CARD,
            "validate",
            lambda work: validate(work, snapshot, "2013-99", schema_id=None, previous_profile_id=None),
            [snapshot],
        )
