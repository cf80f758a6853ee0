"""Moments in tables: microseconds, UTC, whatever the file wrote."""

import polars as pl

from trimtab.atoms.error import UsageError

#: The one type of a moment in Trimtab's tables.
MOMENT = pl.Datetime("us", "UTC")

_DAY = r"^\d{4}-\d{2}-\d{2}"
_ZONE = r"(?:Z|[+-]\d{2}:?\d{2})$"


def parse_moments(texts: pl.Series) -> pl.Series:
    """Read ISO 8601 texts as moments; without an offset they are UTC; missing where a text is no moment.

    Only texts that start with year-month-day are read: 01/02/2013 is one day here and another there.

    >>> parse_moments(pl.Series(["2013-01-01T05:00:00+02:00", "2013-01-01 05:00"])).dt.hour().to_list()
    [3, 5]
    """
    iso = pl.col("text").str.contains(_DAY)
    zoned = pl.col("text").str.contains(_ZONE)
    ready = pl.DataFrame({"text": texts}).select(
        day=pl.when(iso & (pl.col("text").str.len_chars() == 10)).then("text"),
        zoned=pl.when(iso & zoned).then("text"),
        plain=pl.when(iso & ~zoned & (pl.col("text").str.len_chars() > 10)).then("text"),
    )
    parts = [
        as_moment(ready["day"].str.to_date("%Y-%m-%d", strict=False)),
        _parsed(ready["zoned"], "UTC"),
        _parsed(ready["plain"], None),
    ]
    return pl.select(pl.coalesce(*parts)).to_series().alias(texts.name)


def normal_moments(frame: pl.DataFrame) -> pl.DataFrame:
    """Every moment column as microseconds UTC; a column without a zone is UTC."""
    return frame.with_columns(
        as_moment(column) for column in frame if column.dtype == pl.Datetime and column.dtype != MOMENT
    )


def as_moment(column: pl.Series) -> pl.Series:
    """A date or moment column as microseconds UTC."""
    moments = column.cast(pl.Datetime("us")) if column.dtype == pl.Date else column.dt.cast_time_unit("us")
    if moments.dtype.time_zone is None:  # type: ignore[attr-defined]
        return moments.dt.replace_time_zone("UTC")
    return moments.dt.convert_time_zone("UTC")


def with_moments(frame: pl.DataFrame, name: str, where: str) -> pl.DataFrame:
    """Give the frame with the column `name` as moments.

    Raises:
        UsageError: A value is no moment: names `where`, the column, the first such value, its row (from 1).
    """
    column = frame[name]
    if column.dtype == pl.Date or column.dtype == pl.Datetime:
        return frame.with_columns(as_moment(column))
    if column.dtype == pl.Null:
        return frame.with_columns(column.cast(MOMENT))
    unread = pl.Series(name, [None] * len(column), dtype=MOMENT)
    moments = parse_moments(column) if column.dtype == pl.String else unread
    bad = (moments.is_null() & column.is_not_null()).arg_true()
    if len(bad):
        raise UsageError(
            f"{where}: column {name!r} holds moments, but row {bad[0] + 1} has {column[bad[0]]!r}: "
            "write moments as ISO 8601, such as 2013-01-31T05:00:00Z"
        )
    return frame.with_columns(moments)


def _parsed(texts: pl.Series, zone: str | None) -> pl.Series:
    if texts.null_count() == texts.len():
        return texts.cast(pl.Null).cast(MOMENT)
    try:
        moments = texts.str.to_datetime(time_unit="us", time_zone=zone, strict=False)
    except pl.exceptions.ComputeError:
        # polars guesses the format from the first value and raises where it has no guess
        return pl.Series(texts.name, [None] * texts.len(), dtype=MOMENT)
    return moments if zone else moments.dt.replace_time_zone("UTC")
