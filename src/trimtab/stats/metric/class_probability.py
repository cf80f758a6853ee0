"""Class codes and probabilities, checked once for all classification metrics."""

import numpy as np
from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, IntArray, same_length


def class_probability(truth: ArrayLike, prediction: ArrayLike) -> tuple[IntArray, FloatArray]:
    """Truth and probabilities as arrays of the agreed shapes.

    Args:
        truth: Class codes, shape (n,), integer or boolean. A code that is no column of `prediction` (a class
            the model has never seen) is legal: it got probability 0.
        prediction: Probabilities, shape (n, classes).

    Returns:
        Codes (n,) int64 and probabilities (n, classes) float64.

    Raises:
        ValueError: A shape is wrong, the rows differ, or `truth` is not integer.

    Source:
        scikit-learn's `predict_proba` layout.

    >>> class_probability([True, False], [[0.2, 0.8], [0.6, 0.4]])[0]
    array([1, 0])
    """
    codes = np.asarray(truth)
    probability = np.asarray(prediction, dtype=np.float64)
    if codes.ndim != 1 or probability.ndim != 2 or probability.shape[1] < 2:
        raise ValueError(
            f"truth {codes.shape} must be (n,) and prediction {probability.shape} must be (n, classes >= 2); "
            "for a binary model pass np.column_stack([1 - p, p])"
        )
    if codes.size and codes.dtype.kind not in "iub":
        raise ValueError(
            f"truth must be class codes, not {codes.dtype}: encode the labels and drop rows without outcome"
        )
    same_length(truth=codes, prediction=probability)
    return codes.astype(np.int64), probability


def true_class_probability(codes: IntArray, probability: FloatArray) -> FloatArray:
    """The probability that each row's true class was given.

    Args:
        codes: Class codes, shape (n,).
        probability: Shape (n, classes).

    Returns:
        Shape (n,); 0 for a class the model does not know.

    Source:
        A class without a column was given no chance.

    >>> true_class_probability(np.array([1, 2]), np.array([[0.2, 0.8], [0.6, 0.4]]))
    array([0.8, 0. ])
    """
    known = (codes >= 0) & (codes < probability.shape[1])
    given = probability[np.arange(codes.size), np.where(known, codes, 0)]
    return np.where(known, given, np.where(np.isnan(given), np.nan, 0.0))
