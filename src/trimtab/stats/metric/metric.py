"""What every metric offers, so that intervals and gates need not know which one they have."""

from dataclasses import dataclass
from typing import Literal, Protocol

from numpy.typing import ArrayLike

from trimtab.stats.array import FloatArray, IntArray

Task = Literal["classification", "regression"]


class Score(Protocol):
    """The metric on all rows; NaN where the rows cannot tell, never an exception for what data hold."""

    def __call__(self, truth: ArrayLike, prediction: ArrayLike, /) -> float: ...


class Rows(Protocol):
    """One number a row whose mean is the score, shape (n,)."""

    def __call__(self, truth: ArrayLike, prediction: ArrayLike, /) -> FloatArray: ...


class Resample(Protocol):
    """The score on each replicate, where `weights` (replicates, blocks) says how often each block is drawn.

    `codes` (n,) is each row's block. Gives shape (replicates,); NaN where a replicate cannot tell.
    """

    def __call__(
        self, truth: ArrayLike, prediction: ArrayLike, codes: IntArray, weights: FloatArray, /
    ) -> FloatArray: ...


@dataclass(frozen=True, slots=True)
class Metric:
    """One way to say how good predictions are.

    Classification: truth is class codes (n,), prediction probabilities (n, classes). Regression: both
    are floats (n,).
    """

    #: Name in project files, tables and pages.
    name: str
    #: Which way is up.
    greater_is_better: bool
    task: Task
    #: The metric on all rows.
    score: Score
    #: Its per-row form; None where the metric is no mean of rows (AUC, F1, R2, RMSE).
    rows: Rows | None
    #: The metric on bootstrap replicates.
    resample: Resample
