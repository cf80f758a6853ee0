"""Asking a trained estimator: the one way from float32 rows to answers, in training, judging and native serving."""

from collections.abc import Sequence
from typing import Any


def estimator_answer(estimator: Any, task: str, rows: Any, names: Sequence[str] | None = None) -> Any:
    """What a trained estimator answers.

    Args:
        task: `classification` or `regression`.
        rows: float32, shape (n, features).
        names: Names of the features, where the estimator was fitted on named columns.

    Returns:
        Probabilities, shape (n, classes), or values, shape (n,); float64.
    """
    import numpy as np

    given = rows
    if names is not None:
        import pandas as pd

        given = pd.DataFrame(rows, columns=list(names))
    if task == "classification":
        return np.asarray(estimator.predict_proba(given), dtype=np.float64)
    return np.asarray(estimator.predict(given), dtype=np.float64).ravel()
