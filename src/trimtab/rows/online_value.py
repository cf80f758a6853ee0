"""Cells of a feature view as the JSON scalars that an online store keeps, and back without loss."""

import math
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import polars as pl


def online_value(cell: Any) -> Any:
    """A cell as a JSON scalar; NaN and infinities, for which JSON has no number, as text.

    >>> online_value(1.5), online_value(float("-inf")), online_value(date(2013, 1, 31))
    (1.5, '-inf', '2013-01-31')
    """
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    if isinstance(cell, date | time):  # a datetime is a date
        return cell.isoformat()
    return cell


def cell_reader(dtype: pl.DataType) -> Callable[[Any], Any]:
    """What turns `online_value`'s answer back into a cell of a column of this type; None stays None."""
    if dtype.is_float():
        return _number
    parse: dict[Any, Callable[[str], Any]] = {
        pl.Datetime: datetime.fromisoformat,
        pl.Date: date.fromisoformat,
        pl.Time: time.fromisoformat,
    }
    read = parse.get(dtype.base_type())
    return _as_it_is if read is None else lambda value: None if value is None else read(value)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _as_it_is(value: Any) -> Any:
    return value
