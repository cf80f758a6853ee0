"""What it has cost so far not to retrain."""

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, float_vector, same_length


def staleness_debt(
    loss: ArrayLike, fresh_loss: ArrayLike, rows: ArrayLike, value_per_loss: float = 1.0
) -> FloatArray:
    """Debt of an ageing model after each span: retrain when it reaches the cost of retraining.

    Args:
        loss: Mean loss of the model in use on each span, L_t, shape (spans,).
        fresh_loss: Mean loss that a fresh model has there, L_fresh, from the staleness curve, shape (spans,).
        rows: Rows predicted on each span, n_t, shape (spans,), >= 0.
        value_per_loss: v, what a unit of loss on one row costs, in the unit of the retraining cost, >= 0.

    Returns:
        D = sum of max(0, L_t - L_fresh) n_t v up to each span, shape (spans,), never falling. A span whose
        loss is not known (NaN) adds nothing: it is not evidence of debt.

    Raises:
        ValueError: The spans differ, or rows or the value are negative.

    Source:
        Mahadevan and Mathioudakis 2023 (Cara). By calendar or on any drift, retraining bought nothing in a
        quiet year.

    >>> staleness_debt([0.3, 0.4, 0.5], [0.3, 0.3, float("nan")], [10, 10, 10], value_per_loss=2.0)
    array([0., 2., 2.])
    """
    used, fresh, count = (
        float_vector(loss, "loss"),
        float_vector(fresh_loss, "fresh_loss"),
        float_vector(rows, "rows"),
    )
    same_length(loss=used, fresh_loss=fresh, rows=count)
    if np.any(count < 0) or not value_per_loss >= 0:
        raise ValueError("rows and value_per_loss must be 0 or more")
    with np.errstate(invalid="ignore", over="ignore"):
        owed = np.maximum(used - fresh, 0.0) * count * value_per_loss
        return np.cumsum(np.where(np.isnan(owed), 0.0, owed))
