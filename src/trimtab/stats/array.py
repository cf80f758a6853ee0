"""The array types that every statistic takes and gives."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def float_vector(values: ArrayLike, name: str) -> FloatArray:
    """`values` as a vector of floats, so that a wrong shape is found where it enters.

    Args:
        values: Anything numpy reads as numbers, shape (n,).
        name: What the values are, for the error.

    Returns:
        The values, shape (n,), float64.

    Raises:
        ValueError: `values` is not one-dimensional.

    >>> float_vector([1, 2], "losses")
    array([1., 2.])
    """
    vector = np.asarray(values, dtype=np.float64)
    if vector.ndim != 1:
        raise ValueError(f"{name} must have shape (n,), not {vector.shape}: pass one value a row")
    return vector


def same_length(**vectors: NDArray[np.generic]) -> None:
    """Refuse vectors that do not speak of the same rows.

    Args:
        vectors: Arrays by name, each with rows on its first axis.

    Raises:
        ValueError: Two of them have different numbers of rows.

    >>> same_length(truth=np.zeros(2), score=np.ones(2))
    """
    lengths = {name: len(vector) for name, vector in vectors.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"rows differ: {said}; pass the same rows, in the same order, to each")
