"""Every way to write a moment that is not ambiguous is read; the first other one is named."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

from trimtab.atoms.error import UsageError
from trimtab.rows.moment import MOMENT, normal_moments, parse_moments, with_moments

FIVE = datetime(2013, 1, 31, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2013-01-31T05:00:00Z", "2013-01-31 05:00", "2013-01-31T05:00:00.000", "2013-01-31T07:00:00+02:00"],
)
def test_a_text_is_read_alone_and_among_others(text: str) -> None:
    alone = parse_moments(pl.Series([text]))
    among = parse_moments(pl.Series(["2013-02-01", "2013-02-01T00:00:00Z", "2013-02-01 00:00:00", text]))
    assert alone.to_list() == [FIVE]
    assert among[-1] == FIVE
    assert among.null_count() == 0


@pytest.mark.parametrize("text", ["31/01/2013", "1359608400", "yesterday", "2013-02-30", "2013-01-31Tfive"])
def test_what_is_no_moment_is_missing(text: str) -> None:
    assert parse_moments(pl.Series([text, None])).to_list() == [None, None]


def test_the_first_bad_value_is_named_with_its_row() -> None:
    rows = pl.DataFrame({"at": ["2013-01-31", None, "soon", "later"]})
    with pytest.raises(UsageError, match=r"source 'x': column 'at' holds moments, but row 3 has 'soon'"):
        with_moments(rows, "at", "source 'x'")
    with pytest.raises(UsageError, match="row 1 has 7"):
        with_moments(pl.DataFrame({"at": [7]}), "at", "source 'x'")


def test_dates_and_moments_without_a_zone_are_utc() -> None:
    rows = pl.DataFrame({"d": [date(2013, 1, 31)], "n": [datetime(2013, 1, 31, 5)], "x": [1]})
    zoned = rows.with_columns(b=pl.col("n").dt.replace_time_zone("Europe/Berlin").dt.cast_time_unit("ms"))
    normal = normal_moments(zoned)
    assert normal.schema["n"] == normal.schema["b"] == MOMENT
    assert normal["n"][0] == FIVE
    assert normal["b"][0] == datetime(2013, 1, 31, 4, tzinfo=UTC)
    assert with_moments(rows, "d", "x")["d"][0] == datetime(2013, 1, 31, tzinfo=UTC)
