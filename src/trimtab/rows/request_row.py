"""Rows as a request brings them: JSON becomes a typed frame, or is refused by column, rule and row."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any, TypeVar

import polars as pl

from trimtab.atoms.content.encoding import ColumnEncoding, Encoding
from trimtab.atoms.content.snapshot import Column
from trimtab.atoms.error import TrimtabError
from trimtab.rows.column import dtype_of

#: Turns a JSON value that is not null into what polars builds the column from; raises _Unfit.
_Reader = Callable[[Any], Any]

Parsed = TypeVar("Parsed")


class RowsRefused(TrimtabError):
    """Rows that the model will not answer: says which column of which row broke which rule."""

    def __init__(self, column: str, rule: str, row: int, found: str) -> None:
        #: `type`, `missing column`, `extra column`, `missing value`, `unseen category`, `not finite` or
        #: `not a row`.
        self.rule = rule
        #: Empty where the row as a whole is meant.
        self.column = column
        #: Its place in the request, from 0.
        self.row = row
        about = f"column {column!r}: " if column else ""
        super().__init__(f"row {row}: {about}{rule}: {found}")


class _Unfit(Exception):
    """A value breaks a rule; becomes a `RowsRefused` where column and row are known."""

    def __init__(self, rule: str, found: str) -> None:
        super().__init__(found)
        self.rule = rule


def read_rows(
    rows: list[Any], inputs: Sequence[Column], *, encoding: Encoding | None, strict: bool
) -> pl.DataFrame:
    """Read JSON objects as rows with exactly the columns `inputs`, in their order and types.

    Whole numbers do for numbers (and 3.0 for 3); moments are ISO 8601 text, UTC without an offset. NaN and
    infinities are always refused.

    Args:
        rows: What a JSON parser made of the request.
        encoding: The model's encoding; what it says of an input's categories and missing values is held.
        strict: Refuse a category that training never saw, and a missing value where training had none.
            Otherwise they are taken as `other` and missing.

    Raises:
        RowsRefused: The first row, then the first column, that broke a rule.
    """
    known = {column.name: column for column in encoding.columns} if encoding is not None and strict else {}
    readers = [_reader(column.dtype) for column in inputs]
    rules = [known.get(column.name) for column in inputs]
    domains = [frozenset(rule.categories) if rule is not None and _closed(rule) else None for rule in rules]
    read: list[list[Any]] = [[] for _ in inputs]
    for place, row in enumerate(rows):
        _refuse_other_columns(row, inputs, place)
        for values, column, reader, rule, domain in zip(read, inputs, readers, rules, domains, strict=True):
            try:
                values.append(_value(row[column.name], reader, rule, domain))
            except _Unfit as unfit:
                raise RowsRefused(column.name, unfit.rule, place, str(unfit)) from None
    made = {
        column.name: pl.Series(column.name, values, dtype=_dtype(column.dtype), strict=True)
        for column, values in zip(inputs, read, strict=True)
    }
    return pl.DataFrame(made)


def json_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows as a request would bring them; what JSON cannot write (NaN, infinities) becomes null."""
    return [{name: json_value(value) for name, value in row.items()} for row in frame.iter_rows(named=True)]


def json_value(value: Any) -> Any:
    """A cell as a JSON scalar.

    >>> json_value(float("nan")), json_value(datetime(2013, 1, 31, 5, tzinfo=UTC))
    (None, '2013-01-31T05:00:00+00:00')
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date | time):  # a datetime is a date
        return value.isoformat()
    return str(value)


def _closed(rule: ColumnEncoding) -> bool:
    return rule.role == "category" and not rule.open


def _refuse_other_columns(row: Any, inputs: Sequence[Column], place: int) -> None:
    if not isinstance(row, dict):
        raise RowsRefused("", "not a row", place, f"{_shown(row)} is no object of columns and values")
    for column in inputs:
        if column.name not in row:
            raise RowsRefused(column.name, "missing column", place, f"send it as {column.dtype}, or null")
    if len(row) > len(inputs):
        extra = next(name for name in row if all(column.name != name for column in inputs))
        raise RowsRefused(str(extra), "extra column", place, "the model has no such input")


def _value(value: Any, reader: _Reader, rule: ColumnEncoding | None, domain: frozenset[str] | None) -> Any:
    if value is None:
        if rule is not None and not rule.nullable:
            raise _Unfit("missing value", "training never saw it missing")
        return None
    read = reader(value)
    if domain is not None and read not in domain:
        raise _Unfit("unseen category", f"{_shown(read)} is none of the {len(domain)} that training saw")
    return read


@lru_cache(maxsize=256)
def _dtype(text: str) -> pl.DataType:
    return dtype_of(text)


@lru_cache(maxsize=256)
def _reader(text: str) -> _Reader:
    """How a value of the type printed as `text` is read."""
    dtype = _dtype(text)
    if dtype == pl.Boolean:
        return _boolean
    if dtype.is_integer():
        return _whole_between(int(pl.select(dtype.min()).item()), int(pl.select(dtype.max()).item()), text)  # type: ignore[attr-defined]
    if dtype.is_numeric():
        return _number
    if isinstance(dtype, pl.Enum):
        return _one_of(frozenset(dtype.categories))
    if dtype in (pl.String, pl.Categorical):
        return _text
    if isinstance(dtype, pl.Datetime):
        return _moment if dtype.time_zone else _local_moment
    if dtype == pl.Date:
        return _date
    if dtype == pl.Time:
        return _time
    raise TrimtabError(f"no request can bring a column of type {text}: leave it out of the source")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise _Unfit("type", f"{_shown(value)} is not true or false")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Unfit("type", f"{_shown(value)} is not a number")
    try:
        number = float(value)
    except OverflowError:
        raise _Unfit("type", f"{_shown(value)} is too large for a number") from None
    if not math.isfinite(number):
        raise _Unfit("not finite", f"{number} is no number that JSON knows")
    return number


def _whole_between(low: int, high: int, text: str) -> _Reader:
    def read(value: Any) -> int:
        if isinstance(value, float) and not math.isfinite(value):
            raise _Unfit("not finite", f"{value} is no number that JSON knows")
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole:
            raise _Unfit("type", f"{_shown(value)} is not a whole number")
        if not low <= value <= high:
            raise _Unfit("type", f"{_shown(value)} does not fit into {text}")
        return int(value)

    return read


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise _Unfit("type", f"{_shown(value)} is not text")


def _one_of(values: frozenset[str]) -> _Reader:
    def read(value: Any) -> str:
        if value in values:
            return _text(value)
        raise _Unfit("unseen category", f"{_shown(value)} is none of the {len(values)} that there are")

    return read


def _moment(value: Any) -> datetime:
    moment = _parsed(value, datetime.fromisoformat, "a moment such as 2013-01-31T05:00:00Z")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _local_moment(value: Any) -> datetime:
    return _moment(value).replace(tzinfo=None)


def _date(value: Any) -> date:
    return _parsed(value, date.fromisoformat, "a date such as 2013-01-31")


def _time(value: Any) -> time:
    return _parsed(value, time.fromisoformat, "a time such as 05:00:00")


def _parsed(value: Any, parse: Callable[[str], Parsed], wanted: str) -> Parsed:
    try:
        return parse(_text(value))
    except (ValueError, OverflowError, _Unfit):
        raise _Unfit("type", f"{_shown(value)} is not {wanted}") from None
