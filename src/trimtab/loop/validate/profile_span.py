"""The profile of a span: each column counted over the bins of the source's first span."""

import math

import numpy as np
import polars as pl

from trimtab.atoms.content.profile import ColumnProfile, Profile
from trimtab.stats.binning import count_bins, quantile_edges

#: Bins of a numeric column, at most.
MOST_BINS = 20
#: Categories counted one by one, the most frequent ones.
MOST_CATEGORIES = 100
#: A text column with more distinct values than this share of its rows names things; its values are not kept.
NAMING_SHARE = 0.5


def profile_span(rows: pl.DataFrame, *, source: str, span: str, baseline: Profile | None) -> Profile:
    """Profile every column of the rows.

    Args:
        baseline: A profile of an earlier span, whose bins are used again: counts can be compared and added.
    """
    columns = tuple(
        _column(column, baseline.column(column.name) if baseline is not None else None) for column in rows
    )
    return Profile(subject=source, span=span, rows=rows.height, columns=columns)


def _column(column: pl.Series, before: ColumnProfile | None) -> ColumnProfile:
    if column.dtype.is_numeric():
        return _numeric(column, _of_shape(before, "numeric"))
    if column.dtype in (pl.Boolean, pl.String):
        return _category(column, _of_shape(before, "category", "other"))
    if column.dtype in (pl.Date, pl.Datetime):
        return _time(column)
    return ColumnProfile(
        name=column.name,
        dtype=str(column.dtype),
        shape="other",
        n=column.len(),
        n_missing=column.null_count(),
    )


def _of_shape(before: ColumnProfile | None, *shapes: str) -> ColumnProfile | None:
    return before if before is not None and before.shape in shapes else None


def _numeric(column: pl.Series, before: ColumnProfile | None) -> ColumnProfile:
    numbers = column.drop_nulls().cast(pl.Float64).to_numpy()
    finite = numbers[np.isfinite(numbers)]
    frozen = before.edges if before is not None else ()
    edges = np.array(frozen) if frozen else quantile_edges(finite, MOST_BINS)
    counts = count_bins(finite, edges)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = (float(finite.mean()), float(finite.std())) if finite.size else (math.nan, math.nan)
    return ColumnProfile(
        name=column.name,
        dtype=str(column.dtype),
        shape="numeric",
        n=column.len(),
        n_missing=column.null_count(),
        n_nan=int(np.isnan(numbers).sum()),
        n_inf=int(np.isinf(numbers).sum()),
        n_unique=int(np.unique(finite).size),
        mean=_finite(mean),
        std=_finite(std),
        low=float(finite.min()) if finite.size else None,
        high=float(finite.max()) if finite.size else None,
        edges=tuple(map(float, edges)),
        counts=tuple(map(int, counts)),
        n_alien=int(counts[0] + counts[-1]) if len(counts) > 1 else 0,
    )


def _category(column: pl.Series, before: ColumnProfile | None) -> ColumnProfile:
    texts = column.cast(pl.String).drop_nulls().alias("value")
    counted = texts.value_counts(name="rows").sort("rows", "value", descending=[True, False])
    values, rows = counted["value"].to_list(), counted["rows"].to_list()
    names = before.shape == "other" if before is not None else _names_things(texts.len(), len(values))
    kept: tuple[str, ...] = before.categories if before is not None else tuple(values[:MOST_CATEGORIES])
    by_value = dict(zip(values, rows, strict=True))
    counts = [by_value.get(value, 0) for value in kept]
    others = texts.len() - sum(counts)
    all_known = before is not None and before.counts[-1:] == (before.n_alien,)
    return ColumnProfile(
        name=column.name,
        dtype=str(column.dtype),
        shape="other" if names else "category",
        n=column.len(),
        n_missing=column.null_count(),
        n_unique=len(values),
        categories=() if names else kept,
        counts=() if names else (*counts, others),
        n_alien=others if all_known and not names else 0,
    )


def _time(column: pl.Series) -> ColumnProfile:
    seconds = column.cast(pl.Datetime("us")).dt.epoch("us").cast(pl.Float64) / 1e6
    return ColumnProfile(
        name=column.name,
        dtype=str(column.dtype),
        shape="time",
        n=column.len(),
        n_missing=column.null_count(),
        low=_finite(seconds.min()),
        high=_finite(seconds.max()),
    )


def _names_things(rows: int, distinct: int) -> bool:
    return rows >= 20 and distinct > NAMING_SHARE * rows


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
