"""The target column: what task it asks for, and its values as numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.error import UsageError

#: Whole numbers with at most this many values are taken for classes.
MOST_WHOLE_CLASSES = 20
#: More classes than this are a column of names, not a target.
MOST_CLASSES = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """A target as a task."""

    #: `classification` or `regression`.
    task: str
    #: JSON values of the classes in the order of their codes; empty for regression.
    classes: tuple[Any, ...]


def read_target(column: pl.Series, task: str | None, where: str) -> Target:
    """Tell the task and the classes from the target's values.

    Text, truth values and whole numbers of few values are classes, other numbers are values; `task`
    overrides.

    Args:
        column: The target of the training rows; may hold missing values.
        task: What the project says, or None.
        where: Names model and target in the error.

    Raises:
        UsageError: There is no value, only one class, or values that the task cannot have.
    """
    known = known_values(column)
    if not len(known):
        raise UsageError(f"{where} has no value in any row that may be trained on: check the source")
    if not (known.dtype.is_numeric() or known.dtype in (pl.Boolean, pl.String, pl.Categorical, pl.Enum)):
        raise UsageError(f"{where} is {known.dtype}: a target is a number, true or false, or a text")
    if (task or _task(known)) == "regression":
        return _regression(known, where)
    return _classification(known, where)


def known_values(column: pl.Series) -> pl.Series:
    """The values that are there: neither missing nor NaN."""
    return column.drop_nulls().drop_nans() if column.dtype.is_float() else column.drop_nulls()


def is_known(column: pl.Series) -> NDArray[np.bool_]:
    """Which rows have a value."""
    there = column.is_not_null()
    if column.dtype.is_float():
        there = there & column.is_not_nan().fill_null(False)
    return there.to_numpy()


def target_codes(column: pl.Series, target: Target) -> NDArray[Any]:
    """The target as training takes it.

    Args:
        column: Known values only.

    Returns:
        Classification: the place of each value among the classes, int64, -1 for a value that is none of them.
        Regression: float64. Shape (rows,).
    """
    if target.task == "regression":
        return column.cast(pl.Float64).to_numpy().astype(np.float64)
    places = {value: place for place, value in enumerate(target.classes)}
    return np.fromiter((places.get(value, -1) for value in _plain(column)), dtype=np.int64, count=len(column))


def _task(known: pl.Series) -> str:
    if not known.dtype.is_numeric():
        return "classification"
    values = known.n_unique()
    if known.dtype.is_float():
        return "classification" if values <= 2 and bool((known == known.floor()).all()) else "regression"
    return "classification" if values <= MOST_WHOLE_CLASSES else "regression"


def _regression(known: pl.Series, where: str) -> Target:
    if not known.dtype.is_numeric() and known.dtype != pl.Boolean:
        raise UsageError(
            f"{where} is {known.dtype}: a regression needs numbers; leave task= out or name another column"
        )
    if known.dtype.is_float() and not bool(known.is_finite().all()):
        raise UsageError(f"{where} holds infinite values: remove those rows or mark them missing")
    if known.n_unique() < 2:
        raise UsageError(f"{where} is {known[0]!r} in every row: there is nothing to learn")
    return Target("regression", ())


def _classification(known: pl.Series, where: str) -> Target:
    if known.dtype.is_float() and not bool(known.is_finite().all()):
        raise UsageError(f"{where} holds infinite values: remove those rows or mark them missing")
    classes = tuple(sorted(set(_plain(known))))
    if len(classes) < 2:
        raise UsageError(
            f"{where} has one class, {classes[0]!r}, in every row that may be trained on: two are needed"
        )
    if len(classes) > MOST_CLASSES:
        raise UsageError(
            f"{where} has {len(classes):,} different values: too many for classes; is it the right column?"
        )
    return Target("classification", classes)


def _plain(column: pl.Series) -> list[Any]:
    """Values as JSON has them; 1.0 is 1, so that a class is called the same whatever the file's type."""
    values = (
        column if column.dtype != pl.Categorical and column.dtype != pl.Enum else column.cast(pl.String)
    ).to_list()
    if column.dtype.is_float():
        return [int(value) if value.is_integer() else value for value in values]
    return values
