"""How a window's table is laid out, one row a served row, and how answers and outcomes are read from it."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

#: Prefix of the model's features in a window's table, so that a feature called `role` or `truth` stays apart.
FEATURE = "feature."
#: Prefix of the request's own columns that are no features.
INPUT = "input."
#: A regression's answer; a classifier's are `p0`, `p1`, ... in the order of its classes.
VALUE = "value"

#: Columns that every window's table has, whoever answered.
SERVED_COLUMNS: dict[str, pl.DataType] = {
    "request_id": pl.String(),
    "row": pl.Int64(),
    "bundle": pl.String(),
    "version": pl.Int64(),
    "role": pl.String(),
    "fell_back": pl.Boolean(),
    "failed": pl.Boolean(),
    "latency_ms": pl.Float64(),
    "event_time": pl.Datetime("us", "UTC"),
    "truth": pl.String(),
}


def answered(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows whose answer went to the caller: no shadow, and of a failed canary the champion's answer."""
    return frame.filter(pl.col("role").ne("shadow") & ~pl.col("failed"))


def answer_matrix(frame: pl.DataFrame, classes: int) -> NDArray[np.float64]:
    """What the model answered.

    Args:
        frame: Rows of a window's table or of a bundle's held-out answers.
        classes: Number of classes; 0 for regression.

    Returns:
        Shape (n, classes), or (n,) for regression; NaN where an answer is missing.
    """
    if not classes:
        return _floats(frame, VALUE)
    return np.column_stack([_floats(frame, f"p{place}") for place in range(classes)])


def answer_summary(answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """One number an answer, shape (n,), to hold distributions of answers by.

    The value of a regression, the second of two classes' probability, or the place of the likeliest of many.
    """
    if answers.ndim == 1:
        return answers
    if answers.shape[1] == 2:
        return answers[:, 1]
    finite = np.isfinite(answers).all(axis=1)
    place = np.full(len(answers), np.nan)
    place[finite] = answers[finite].argmax(axis=1)
    return place


def label_text(value: Any) -> str | None:
    """An outcome or a class as text, so that 1, 1.0 and "1" are one label.

    >>> label_text(1.0), label_text(True), label_text("late"), label_text(None)
    ('1', 'true', 'late', None)
    """
    if value is None:
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value)


def truth_codes(truth: pl.Series, classes: Sequence[Any]) -> NDArray[np.int64]:
    """The place of each outcome among the classes; -1 where it is missing or none of them.

    Args:
        truth: Outcomes as `label_text` wrote them, shape (n,).
        classes: JSON values of the target in the order of the probabilities.
    """
    codes = {label_text(value): place for place, value in enumerate(classes)}
    if all(isinstance(value, bool) for value in classes):  # a caller may report 0 and 1, or True and False
        codes |= {str(int(value)): place for place, value in enumerate(classes)}
        codes |= {str(value): place for place, value in enumerate(classes)}
    elif set(classes) == {0, 1}:
        codes |= {str(bool(value)).lower(): place for place, value in enumerate(classes)}
    codes.pop(None, None)
    return np.array([codes.get(text, -1) if text is not None else -1 for text in truth], dtype=np.int64)


def truth_values(truth: pl.Series) -> NDArray[np.float64]:
    """Outcomes of a regression as floats; NaN where one is missing or no number."""
    return truth.cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy().astype(np.float64)


def _floats(frame: pl.DataFrame, name: str) -> NDArray[np.float64]:
    if name not in frame.columns:
        return np.full(frame.height, np.nan)
    column = frame.get_column(name).cast(pl.Float64, strict=False).fill_null(float("nan"))
    return column.to_numpy().astype(np.float64)
