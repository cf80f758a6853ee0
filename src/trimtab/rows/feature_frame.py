"""Request features: the user's row-level functions run over a frame, held to being row-level."""

from collections.abc import Collection, Sequence

import polars as pl

from trimtab.atoms.error import UsageError
from trimtab.spec.feature import RequestFeatures

#: Rows on which a function is shown to keep the order, at most.
ORDER_SAMPLE = 64


def request_frame(rows: pl.DataFrame, functions: Sequence[RequestFeatures]) -> pl.DataFrame:
    """Run each function over the rows in order, and prove on some of them that it keeps the rows' order.

    Raises:
        UsageError: A function failed, or dropped, added or re-ordered rows; the message names it.
    """
    for function in functions:
        _refuse_reordering(rows.head(ORDER_SAMPLE), function)
        rows = _run(rows, function)
    return rows


def served_frame(rows: pl.DataFrame, functions: Sequence[RequestFeatures]) -> pl.DataFrame:
    """`request_frame` without the proof of order: for functions that passed it in training."""
    for function in functions:
        rows = _run(rows, function)
    return rows


def feature_names(frame: pl.DataFrame, *, exclude: Collection[str]) -> tuple[str, ...]:
    """The columns that can be encoded, in order: numbers, booleans and categories.

    >>> feature_names(pl.DataFrame({"id": [1], "x": [2.0], "c": ["a"], "l": [[1]]}), exclude=("id",))
    ('x', 'c')
    """
    return tuple(
        name for name, dtype in frame.schema.items() if name not in exclude and can_be_encoded(dtype)
    )


def can_be_encoded(dtype: pl.DataType) -> bool:
    """Whether a column of this type can be a feature."""
    return dtype.is_numeric() or dtype in (pl.Boolean, pl.String, pl.Categorical, pl.Enum)


def _run(rows: pl.DataFrame, function: RequestFeatures) -> pl.DataFrame:
    features = collected(rows, function.compute, f"request features {function.name!r}")
    if features.height != rows.height:
        raise UsageError(
            f"request features {function.name!r} gave {features.height} rows for {rows.height}: "
            "they must give one row for each, so no filter, join or group"
        )
    return features


def collected(rows: pl.DataFrame, compute: object, where: str) -> pl.DataFrame:
    """What a user's function makes of the rows.

    Raises:
        UsageError: The function raised, or gave something that is no frame; names `where`.
    """
    try:
        made = compute(rows.lazy())  # type: ignore[operator]
        frame = made.collect() if isinstance(made, pl.LazyFrame) else made
    except Exception as error:
        raise UsageError(f"{where} failed: {type(error).__name__}: {_first_line(error)}") from error
    if not isinstance(frame, pl.DataFrame):
        raise UsageError(f"{where} gave a {type(frame).__name__}: return the polars frame")
    return frame


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")


def _refuse_reordering(sample: pl.DataFrame, function: RequestFeatures) -> None:
    """A function that keeps order gives the reverse of its rows for the reverse of the rows."""
    if sample.height < 2:
        return
    forth, back = _run(sample, function), _run(sample.reverse(), function)
    if not forth.equals(back.reverse(), null_equal=True):
        raise UsageError(
            f"request features {function.name!r} give a row other values when rows come in another order: "
            "compute each row from itself alone, so no sort, shift, rank, cumulative sum or random number"
        )
