"""Bins that are frozen at training, and profiles of rows over them, many blocks of rows in one pass."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.content.encoding import Encoding
from trimtab.atoms.content.profile import ColumnProfile
from trimtab.stats.binning import quantile_edges

#: Categories that get a bin each; the others share one.
MOST_CATEGORIES = 32
#: Rows that the edges of a column are found from: a regular sample of a longer table.
_EDGE_ROWS = 200_000
#: Name of the model's own answers, which are profiled beside its features.
ANSWERS = "(the answers)"


@dataclass(frozen=True, slots=True)
class ColumnBins:
    """How one column is counted."""

    name: str
    dtype: str
    #: `numeric` or `category`.
    shape: str
    edges: tuple[float, ...] = ()
    #: Categories with a bin of their own.
    categories: tuple[str, ...] = ()
    #: All categories that training knew: any other value is alien.
    known: frozenset[str] = frozenset()


def learn_bins(frame: pl.DataFrame, encoding: Encoding) -> tuple[ColumnBins, ...]:
    """Bins of the encoded features over these rows: 20 quantile bins, or the most frequent categories."""
    return tuple(
        ColumnBins(
            name=column.name,
            dtype=column.dtype,
            shape="category",
            categories=column.categories[:MOST_CATEGORIES],
            known=frozenset(column.categories),
        )
        if column.role == "category"
        else number_bins(column.name, column.dtype, numbers(frame.get_column(column.name)))
        for column in encoding.columns
    )


def number_bins(name: str, dtype: str, values: NDArray[np.float64]) -> ColumnBins:
    """20 quantile bins of a numeric column."""
    step = max(1, values.size // _EDGE_ROWS)
    edges = quantile_edges(values[::step])
    finite = values[np.isfinite(values)]
    if step > 1 and edges.size:  # a sample may miss the extremes
        edges[0], edges[-1] = min(edges[0], float(finite.min())), max(edges[-1], float(finite.max()))
    return ColumnBins(name=name, dtype=dtype, shape="numeric", edges=tuple(float(edge) for edge in edges))


def bins_of(columns: Iterable[ColumnProfile], encoding: Encoding) -> tuple[ColumnBins, ...]:
    """The bins that profiles were counted over."""
    known = {column.name: frozenset(column.categories) for column in encoding.columns}
    return tuple(
        ColumnBins(
            name=column.name,
            dtype=column.dtype,
            shape=column.shape,
            edges=column.edges,
            categories=column.categories,
            known=known.get(column.name, frozenset()),
        )
        for column in columns
    )


def profile_column(
    values: pl.Series, bins: ColumnBins, blocks: NDArray[np.int64], count: int, *, with_bins: bool = True
) -> list[ColumnProfile]:
    """Profile a column over frozen bins, a profile a block.

    Args:
        values: The column, shape (n,).
        bins: How it is counted.
        blocks: Block of each row, 0 to `count` - 1, shape (n,).
        count: Number of blocks.
        with_bins: Whether the profiles repeat edges and categories.
    """
    if bins.shape == "category":
        return _category(values, bins, blocks, count, with_bins)
    return _number(numbers(values), bins, blocks, count, with_bins)


def numbers(values: pl.Series) -> NDArray[np.float64]:
    """A column as floats, NaN where a value is missing."""
    return values.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy().astype(np.float64)


def _number(
    column: NDArray[np.float64], bins: ColumnBins, blocks: NDArray[np.int64], count: int, with_bins: bool
) -> list[ColumnProfile]:
    edges = np.asarray(bins.edges)
    missing, infinite = np.isnan(column), np.isinf(column)
    finite = ~(missing | infinite)
    place = np.searchsorted(edges, column[finite], side="right")
    if edges.size > 1:
        place[column[finite] == edges[-1]] = edges.size - 1
    width = edges.size + 1
    inside = blocks[finite]
    table = np.bincount(inside * width + place, minlength=count * width).reshape(count, width)
    rows = np.bincount(blocks, minlength=count)
    n_missing = np.bincount(blocks[missing], minlength=count)
    n_infinite = np.bincount(blocks[infinite], minlength=count)
    n_finite = table.sum(axis=1)
    total = np.bincount(inside, weights=column[finite], minlength=count)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = total / n_finite
        square = np.bincount(inside, weights=(column[finite] - mean[inside]) ** 2, minlength=count)
        spread = np.sqrt(square / n_finite)
    outside = table[:, 0] + (table[:, -1] if width > 1 else 0)
    return [
        ColumnProfile(
            name=bins.name,
            dtype=bins.dtype,
            shape="numeric",
            n=int(rows[block]),
            n_missing=int(n_missing[block]),
            n_inf=int(n_infinite[block]),
            mean=_finite(mean[block]),
            std=_finite(spread[block]),
            edges=bins.edges if with_bins else (),
            counts=tuple(int(cell) for cell in table[block]),
            n_alien=int(outside[block] + n_infinite[block]),
        )
        for block in range(count)
    ]


def _category(
    values: pl.Series, bins: ColumnBins, blocks: NDArray[np.int64], count: int, with_bins: bool
) -> list[ColumnProfile]:
    texts = values.cast(pl.String)
    own = {category: place for place, category in enumerate(bins.categories)}
    other = len(own)
    place = texts.replace_strict(own, default=other, return_dtype=pl.Int64).to_numpy()
    missing = texts.is_null().to_numpy()
    alien = ~(texts.is_in(list(bins.known)).fill_null(True).to_numpy())
    width = other + 1
    table = np.bincount(blocks[~missing] * width + place[~missing], minlength=count * width)
    table = table.reshape(count, width)
    rows = np.bincount(blocks, minlength=count)
    n_missing = np.bincount(blocks[missing], minlength=count)
    n_alien = np.bincount(blocks[alien], minlength=count)
    return [
        ColumnProfile(
            name=bins.name,
            dtype=bins.dtype,
            shape="category",
            n=int(rows[block]),
            n_missing=int(n_missing[block]),
            categories=bins.categories if with_bins else (),
            counts=tuple(int(cell) for cell in table[block]),
            n_alien=int(n_alien[block]),
        )
        for block in range(count)
    ]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
