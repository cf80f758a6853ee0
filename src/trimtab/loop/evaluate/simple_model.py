"""Simple models that a real one must beat: the constant, and the best single feature in bins."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.atoms.content.encoding import ColumnEncoding, Encoding
from trimtab.stats.binning import quantile_edges

#: Rows that a feature is chosen by: a regular sample of longer tables.
_MOST_ROWS = 50_000
#: A bin's mean is drawn to the overall mean with the weight of so many rows.
_PRIOR_ROWS = 10.0
_BINS = 20
_TINY = 1e-12

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SimpleModel:
    """A table: of each bin of one feature, the mean outcome seen in training."""

    #: The feature, or None for the constant.
    feature: str | None
    place: int
    edges: Floats
    #: Class shares, shape (bins, classes), or means, shape (bins, 1); the last bin is the missing values'.
    table: Floats

    def answer(self, rows: NDArray[np.float32]) -> Floats:
        """Probabilities, shape (n, classes); values, shape (n,), where there is one column."""
        if self.feature is None:
            found = np.broadcast_to(self.table[0], (len(rows), self.table.shape[1]))
        else:
            found = self.table[_bins(rows[:, self.place], self.edges)]
        return np.array(found[:, 0] if self.table.shape[1] == 1 else found)


def fit_constant(truth: NDArray[np.generic], classes: int) -> SimpleModel:
    """The class shares, or the mean, of the training rows.

    Args:
        truth: Class codes or values of the training rows, shape (n,).
        classes: Number of classes; 0 for regression.
    """
    mean = (
        _targets(truth, classes).mean(axis=0, keepdims=True) if truth.size else np.zeros((1, max(classes, 1)))
    )
    return SimpleModel(feature=None, place=0, edges=np.empty(0), table=mean)


def fit_one_feature(
    rows: NDArray[np.float32], truth: NDArray[np.generic], encoding: Encoding, classes: int
) -> SimpleModel:
    """The feature that by itself, cut into bins, says most about the outcome.

    Args:
        rows: Encoded training rows, shape (n, features).
        truth: Class codes or values, shape (n,).
        encoding: Says which features are categories; a category is a bin.
        classes: Number of classes; 0 for regression.

    Source:
        Holte 1993 (1R): very simple rules do well on most data. Chosen on the half of the rows that it
        was not fitted on.
    """
    if len(rows) < 2:
        return fit_constant(truth, classes)
    step = max(1, len(rows) // _MOST_ROWS)
    sample, targets = rows[::step], _targets(truth, classes)[::step]
    best, smallest = 0, np.inf
    for place, column in enumerate(encoding.columns):
        edges = _edges(sample[:, place], column)
        found = _bins(sample[:, place], edges)
        table = _table(found[::2], targets[::2], edges.size + 2)
        loss = _loss(table[found[1::2]], targets[1::2], classes)
        if loss < smallest:
            best, smallest = place, loss
    edges = _edges(rows[:, best], encoding.columns[best])
    table = _table(_bins(rows[:, best], edges), _targets(truth, classes), edges.size + 2)
    return SimpleModel(feature=encoding.columns[best].name, place=best, edges=edges, table=table)


def _targets(truth: NDArray[np.generic], classes: int) -> Floats:
    if not classes:
        return truth.astype(np.float64)[:, None]
    members: Floats = (truth[:, None] == np.arange(classes)).astype(np.float64)
    return members


def _edges(values: NDArray[np.float32], column: ColumnEncoding) -> Floats:
    if column.role == "category":
        return np.arange(len(column.categories) + 2, dtype=np.float64) + 0.5
    return quantile_edges(values.astype(np.float64), _BINS)


def _bins(values: NDArray[np.float32], edges: Floats) -> NDArray[np.intp]:
    place: NDArray[np.intp] = np.searchsorted(edges, values.astype(np.float64), side="right")
    place[np.isnan(values)] = edges.size + 1
    return place


def _table(found: NDArray[np.intp], targets: Floats, bins: int) -> Floats:
    prior = targets.mean(axis=0)
    sums = np.stack([np.bincount(found, weights=column, minlength=bins) for column in targets.T], axis=1)
    rows = np.bincount(found, minlength=bins)[:, None]
    smoothed: Floats = (sums + _PRIOR_ROWS * prior) / (rows + _PRIOR_ROWS)
    return smoothed


def _loss(answers: Floats, targets: Floats, classes: int) -> float:
    if not classes:
        return float(np.mean((answers - targets) ** 2))
    return float(-np.mean(np.log(np.maximum((answers * targets).sum(axis=1), _TINY))))
