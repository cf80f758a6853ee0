"""Plain rows: JSON rows encoded without a frame, where a model needs no feature code.

A frame costs about a millisecond however few its rows are; one plain row costs some microseconds. What is
read here is read exactly as `rows.request_row` and `rows.encoding` would (a test holds both equal); whatever
is out of the ordinary is left to them, refusals included.
"""

import math
from typing import Any, NamedTuple, Self

import numpy as np

from trimtab.atoms.content.bundle import Manifest
from trimtab.atoms.content.encoding import ColumnEncoding
from trimtab.atoms.instant import iso, parse_instant

_NAN = math.nan
_MISSING = object()
#: Above this a float64 is no exact whole number, and rounding twice on the way to float32 could differ.
_EXACT = 2**53
#: A little under the largest float32.
_LARGEST = 3.4e38
_WHOLE = {
    "Int8": 8,
    "Int16": 16,
    "Int32": 32,
    "Int64": 54,
    "UInt8": 8,
    "UInt16": 16,
    "UInt32": 32,
    "UInt64": 54,
}


class _Plan(NamedTuple):
    """How one request column is read."""

    name: str
    #: `float`, `whole`, `boolean`, `text` or `moment`.
    kind: str
    #: Smallest and largest whole number.
    low: int
    high: int
    #: Place among the features; -1 for a column that is only logged.
    place: int
    #: Code of each category; None where the text is only logged.
    codes: dict[str, int] | None
    open: bool
    nullable: bool


class PlainRows:
    """Reads the rows of one bundle's requests."""

    def __init__(self, plans: tuple[_Plan, ...], features: tuple[str, ...]) -> None:
        self._plans = plans
        self._features = features

    @classmethod
    def of(cls, manifest: Manifest) -> Self | None:
        """A reader for the manifest; None where the model has feature code, views or other column types."""
        if manifest.request_features or manifest.views:
            return None
        features = tuple(column.name for column in manifest.encoding.columns)
        encodings = {column.name: (place, column) for place, column in enumerate(manifest.encoding.columns)}
        if not set(features) <= {column.name for column in manifest.inputs}:
            return None
        plans = []
        for column in manifest.inputs:
            plan = _plan(column.name, column.dtype, *encodings.get(column.name, (-1, None)))
            if plan is None:
                return None
            plans.append(plan)
        return cls(tuple(plans), features)

    def read(
        self, rows: list[Any], *, strict: bool
    ) -> tuple[dict[str, list[Any]], dict[str, list[Any]], np.ndarray] | None:
        """Inputs and features by name, and the encoded rows; None where any value is out of the ordinary."""
        inputs: dict[str, list[Any]] = {plan.name: [] for plan in self._plans}
        matrix = np.empty((len(rows), len(self._features)), dtype=np.float32)
        for number, row in enumerate(rows):
            if type(row) is not dict or len(row) != len(self._plans):
                return None
            codes = [0.0] * len(self._features)
            for plan in self._plans:
                read = _read(plan, row.get(plan.name, _MISSING), strict)
                if read is None:
                    return None
                inputs[plan.name].append(read[0])
                if plan.place >= 0:
                    codes[plan.place] = read[1]
            matrix[number] = codes
        return inputs, {name: inputs[name] for name in self._features}, matrix


def _read(plan: _Plan, value: Any, strict: bool) -> tuple[Any, float] | None:
    """The value as it is logged, and its code; None where it is out of the ordinary."""
    kind, given = plan.kind, type(value)
    if given is float:
        return (value, value) if kind == "float" and -_LARGEST < value < _LARGEST else None
    if given is int:
        if kind == "whole":
            return (value, value) if plan.low <= value <= plan.high else None
        return (float(value), value) if kind == "float" and -_EXACT < value < _EXACT else None
    if given is str and kind == "moment":
        return _moment(value)
    if given is str and kind == "text":
        if plan.codes is None:
            return value, 0
        code = plan.codes.get(value)
        if code is None:
            return (value, 1) if plan.open or not strict else None
        return value, code
    if given is bool and kind == "boolean":
        return value, value
    if value is None and plan.place >= 0 and (plan.nullable or not strict):
        return None, 0 if kind == "text" else _NAN
    return None


def _moment(text: str) -> tuple[str, float] | None:
    try:
        return iso(parse_instant(text)), 0
    except (ValueError, OverflowError):
        return None


def _plan(name: str, dtype: str, place: int, column: ColumnEncoding | None) -> _Plan | None:
    codes: dict[str, int] | None = None
    low = high = 0
    if dtype == "Float64":
        kind, role = "float", "number"
    elif dtype in _WHOLE:
        kind, role = "whole", "number"
        bits = _WHOLE[dtype]
        low, high = (0, 2**bits - 1) if dtype.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    elif dtype == "Boolean":
        kind, role = "boolean", "boolean"
    elif dtype == "String":
        kind, role = "text", "category"
    elif dtype == "Datetime(time_unit='us', time_zone='UTC')":
        kind, role = "moment", "never a feature"
    else:
        return None
    if column is not None:
        if column.role != role or column.dtype != dtype:
            return None
        if role == "category":
            codes = {category: 2 + rank for rank, category in enumerate(column.categories)}
    nullable = column.nullable if column is not None else False
    return _Plan(name, kind, low, high, place, codes, column.open if column else True, nullable)
