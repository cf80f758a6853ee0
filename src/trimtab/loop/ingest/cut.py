"""Cutting a source's rows into spans, without counting any row twice."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from trimtab.spec.source import Source

#: How a span of each length is called; the names sort as time does.
SPAN_NAMES = {"1d": "%Y-%m-%d", "1w": "%G-W%V", "1mo": "%Y-%m"}

#: Name of the column that the cut adds; no CSV header can hold it by accident.
LABEL = "\x00span"
_TIMES = "\x00times"


@dataclass(frozen=True, slots=True)
class Before:
    """A span of the previous snapshot."""

    name: str
    #: Its rows; None where the new rows come on top and are not to be matched with them.
    rows: pl.DataFrame | None


@dataclass(frozen=True, slots=True)
class Distinct:
    """Rows with one row a key."""

    rows: pl.DataFrame
    #: Rows dropped for each span.
    dropped: dict[str, int]


def labelled(rows: pl.DataFrame, source: Source, before: Sequence[Before]) -> pl.DataFrame:
    """The rows with the name of their span.

    Args:
        before: Spans of the previous snapshot, for a source without an event time: a row that was there stays
            in its span, all others make the next one.
    """
    if source.event_time is not None:
        return rows.with_columns(pl.col(source.event_time).dt.strftime(SPAN_NAMES[source.span]).alias(LABEL))
    following = f"{max((int(span.name) for span in before), default=0) + 1:04d}"
    spans = [
        span.rows.with_columns(pl.lit(span.name).alias(LABEL)) for span in before if span.rows is not None
    ]
    if not spans or any(set(span.columns) != {*rows.columns, LABEL} for span in spans):
        return rows.with_columns(pl.lit(following).alias(LABEL))
    was = pl.concat(spans, how="vertical_relaxed")
    if any(was.schema[name] != dtype for name, dtype in rows.schema.items()):
        return rows.with_columns(pl.lit(following).alias(LABEL))
    names = list(source.identity) or rows.columns
    if _repeats(rows, names) or _repeats(was, names):
        matched = _spans_of(_with_times(rows, names), _with_times(was, names), [*names, _TIMES]).drop(_TIMES)
    else:
        matched = _spans_of(rows, was, names)
    return matched.with_columns(pl.col(LABEL).fill_null(following))


def distinct(rows: pl.DataFrame, source: Source, known: pl.DataFrame | None) -> Distinct:
    """Labelled rows without those whose identity came before, among them or among the `known` rows.

    Rows without a key are no duplicates of each other.
    """
    names = list(source.identity)
    if not names:
        return Distinct(rows, {})
    nameless = pl.col(names[0]).is_null()
    first = rows.select(pl.struct(names).is_first_distinct() | nameless).to_series()
    if known is not None:
        named = rows.select(names).with_row_index(_TIMES).filter(~nameless)
        there = named.join(known, on=names, how="semi", nulls_equal=True)[_TIMES]
        first &= ~pl.int_range(rows.height, dtype=pl.UInt32, eager=True).is_in(there.implode())
    counts = rows.filter(~first)[LABEL].value_counts()
    return Distinct(rows.filter(first), dict(counts.iter_rows()))


def cut(rows: pl.DataFrame, source: Source) -> dict[str, pl.DataFrame]:
    """Labelled rows by span, in order of the spans' names; each span's rows in order of time and key."""
    parts = ordered(rows, source).partition_by(LABEL, as_dict=True, include_key=False)
    return {str(label): part for (label,), part in sorted(parts.items())}


def ordered(rows: pl.DataFrame, source: Source) -> pl.DataFrame:
    """The rows in order of time and key, so that files in another order make the same span."""
    if source.event_time is None:
        return rows
    by = (source.event_time, source.key, source.known_time)
    return rows.sort([name for name in by if name is not None], maintain_order=True)


def copies(rows: pl.DataFrame) -> int:
    """Rows that are equal to an earlier one in every column."""
    return rows.height - rows.n_unique()


def _spans_of(rows: pl.DataFrame, was: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The rows with the span of the row that was alike in all `names`; null where there was none."""
    return rows.join(was.select(*names, LABEL), on=names, how="left", nulls_equal=True, maintain_order="left")


def _repeats(rows: pl.DataFrame, names: Sequence[str]) -> bool:
    """Whether two rows are alike in all `names`; a fraction of the cost of counting how often."""
    alone = rows[names[0]] if len(names) == 1 else rows.select(pl.struct(names)).to_series()
    return alone.n_unique() < rows.height


def _with_times(rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The rows with how often the same one came before, so that two equal rows are two."""
    return rows.with_columns(pl.int_range(pl.len()).over(names).alias(_TIMES))
