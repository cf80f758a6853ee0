"""Blocks of rows that belong together (days): the unit that is resampled."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trimtab.stats.array import FloatArray, IntArray

#: More blocks than this are merged with their neighbours: it loses no accuracy that one could see,
#: and keeps a bootstrap over row-sized blocks as cheap as one over days.
MOST_BLOCKS = 1000


def block_codes(blocks: ArrayLike) -> tuple[IntArray, int]:
    """Number the blocks 0, 1, ... in order of their labels.

    Args:
        blocks: Label of each row's block, any sortable type (dates, strings, integers), shape (n,).

    Returns:
        Codes, shape (n,), and the number of blocks; neighbours are merged beyond 1,000 blocks.

    Raises:
        ValueError: `blocks` is not one-dimensional.

    Source:
        Merging neighbouring independent blocks leaves independent blocks.

    >>> block_codes(["tue", "mon", "tue"])
    (array([1, 0, 1]), 2)
    """
    labels = np.asarray(blocks)
    if labels.ndim != 1:
        raise ValueError(f"blocks must have shape (n,), not {labels.shape}: pass one label a row")
    distinct, codes = np.unique(labels, return_inverse=True)
    count = int(distinct.size)
    codes = codes.astype(np.int64)
    if count > MOST_BLOCKS:
        return codes * MOST_BLOCKS // count, MOST_BLOCKS
    return codes, count


def block_sums(values: NDArray[np.generic], codes: IntArray, count: int) -> FloatArray:
    """Sum of `values` within each block.

    Args:
        values: One number a row, shape (n,).
        codes: Block of each row, 0 to `count` - 1, shape (n,).
        count: Number of blocks.

    Returns:
        Sums, shape (count,); 0 for a block without rows.

    Source:
        A sum by key.

    >>> block_sums(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 0]), 2)
    array([4., 2.])
    """
    return np.bincount(codes, weights=values.astype(np.float64), minlength=count).astype(np.float64)


def poisson_weights(count: int, replicates: int, seed: int) -> FloatArray:
    """How often each bootstrap replicate draws each block.

    Args:
        count: Number of blocks.
        replicates: Number of bootstrap replicates, >= 1.
        seed: Seed of the draw; the same seed gives the same weights.

    Returns:
        Independent Poisson(1) weights, shape (replicates, count).

    Raises:
        ValueError: `replicates` is below 1.

    Source:
        Chamandy et al. 2012: independent Poisson weights stand in for drawing with replacement, and
        need no pass over rows.

    >>> poisson_weights(3, 2, seed=0).shape
    (2, 3)
    """
    if replicates < 1:
        raise ValueError(f"replicates must be at least 1, not {replicates}")
    return np.random.default_rng(seed).poisson(1.0, size=(replicates, count)).astype(np.float64)
