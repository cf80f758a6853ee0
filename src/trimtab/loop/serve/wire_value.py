"""A frame's columns as JSON values, for the prediction log."""

from datetime import date, datetime
from typing import Any

import polars as pl

from trimtab.atoms.instant import iso


def wire_columns(frame: pl.DataFrame) -> dict[str, list[Any]]:
    """Every column as a list of JSON scalars: moments as ISO text, NaN and infinities as None.

    >>> wire_columns(pl.DataFrame({"a": [1.5, float("nan")], "b": ["x", None]}))
    {'a': [1.5, None], 'b': ['x', None]}
    """
    return {series.name: _values(series) for series in frame.iter_columns()}


def _values(series: pl.Series) -> list[Any]:
    if series.dtype.is_float():
        return series.to_list() if series.is_finite().all() else _finite(series.to_list())
    if series.dtype.is_integer() or series.dtype in (pl.Boolean, pl.String):
        return series.to_list()
    return [_value(value) for value in series.to_list()]


def _finite(values: list[Any]) -> list[Any]:
    return [value if value is not None and abs(value) < float("inf") else None for value in values]


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value) if value.tzinfo else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)
