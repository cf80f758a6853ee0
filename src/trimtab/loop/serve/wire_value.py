"""A frame's columns as JSON values, for the prediction log."""

import math
from datetime import date, datetime
from typing import Any

import polars as pl

from trimtab.atoms.instant import iso

#: Up to this many rows, one pass over all cells beats a call for each column.
_FEW_ROWS = 16
_PLAIN = (str, int, bool, type(None))


def wire_columns(frame: pl.DataFrame) -> dict[str, list[Any]]:
    """Every column as a list of JSON scalars: moments as ISO text, NaN and infinities as None.

    >>> wire_columns(pl.DataFrame({"a": [1.5, float("nan")], "b": ["x", None]}))
    {'a': [1.5, None], 'b': ['x', None]}
    """
    if frame.height <= _FEW_ROWS:
        cells = zip(*frame.rows(), strict=True) if frame.height else ([] for _ in frame.columns)
        return {name: _wired(values) for name, values in zip(frame.columns, cells, strict=True)}
    return {series.name: _values(series) for series in frame.iter_columns()}


def _values(series: pl.Series) -> list[Any]:
    if series.dtype.is_integer() or series.dtype in (pl.Boolean, pl.String):
        return series.to_list()
    if series.dtype.is_float() and series.is_finite().all():
        return series.to_list()
    return _wired(series.to_list())


def _wired(values: Any) -> list[Any]:
    return [value if type(value) in _PLAIN else _value(value) for value in values]


def _value(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return iso(value) if value.tzinfo else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
