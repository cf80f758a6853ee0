"""Feature rows as float32: learnt once in training, applied by the same table in training and serving."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.content.encoding import ColumnEncoding, Encoding
from trimtab.atoms.error import UsageError
from trimtab.rows.feature_frame import can_be_encoded

#: Codes of a category column that are no category; the i-th category is FIRST + i.
MISSING, OTHER, FIRST = 0, 1, 2

#: Up to this many rows a dictionary beats polars' expressions.
FEW_ROWS = 64

#: Lookup tables by the identity of their encoding, which is held so that no other gets that identity.
_TABLES: dict[int, tuple[Encoding, list[dict[str, float] | None]]] = {}


def learn_encoding(frame: pl.DataFrame, names: Sequence[str], most: int = 254) -> Encoding:
    """The encoding of the columns `names`, in that order.

    Args:
        most: Categories kept per column, the most frequent ones; a column with more is open.

    Raises:
        UsageError: A column is not there or cannot be encoded.
    """
    return Encoding(columns=tuple(_learn(_column(frame, name), most) for name in names))


def encode(frame: pl.DataFrame, encoding: Encoding) -> NDArray[np.float32]:
    """The frame's rows under `encoding`; other columns are passed over.

    Returns:
        float32, C-contiguous, shape (rows, features). Numbers as they are, missing NaN; booleans 0 and 1;
        categories by code: 0 missing, 1 other, 2 + i the i-th.

    Raises:
        UsageError: A column is not there, or holds text where the encoding has a number.
    """
    made = np.empty((frame.height, len(encoding.columns)), dtype=np.float32)
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes infinite, as every runtime does it
        for place, (column, codes) in enumerate(zip(encoding.columns, _tables(encoding), strict=True)):
            values = _column(frame, column.name)
            made[:, place] = _numbers(values) if codes is None else _codes(values, codes)
    return made


def _learn(column: pl.Series, most: int) -> ColumnEncoding:
    dtype = column.dtype
    if not can_be_encoded(dtype):
        raise UsageError(f"column {column.name!r} is {dtype}: a feature is a number, a boolean or a text")
    missing = column.null_count() > 0 or bool(dtype.is_float() and column.is_nan().any())
    if dtype == pl.Boolean or dtype.is_numeric():
        role = "boolean" if dtype == pl.Boolean else "number"
        return ColumnEncoding(name=column.name, dtype=str(dtype), role=role, nullable=missing)
    counts = column.cast(pl.String).drop_nulls().alias("value").value_counts(name="rows")
    ordered = counts.sort("rows", "value", descending=[True, False])["value"].to_list()
    return ColumnEncoding(
        name=column.name,
        dtype=str(dtype),
        role="category",
        categories=tuple(ordered[:most]),
        open=len(ordered) > most,
        nullable=missing,
    )


def _tables(encoding: Encoding) -> list[dict[str, float] | None]:
    held = _TABLES.get(id(encoding))
    if held is not None and held[0] is encoding:
        return held[1]
    tables = [
        {value: float(FIRST + place) for place, value in enumerate(column.categories)}
        if column.role == "category"
        else None
        for column in encoding.columns
    ]
    if len(_TABLES) >= 64:
        _TABLES.clear()
    _TABLES[id(encoding)] = (encoding, tables)
    return tables


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    try:
        return frame.get_column(name)
    except pl.exceptions.ColumnNotFoundError as error:
        raise UsageError(f"the rows have no column {name!r}; there are {', '.join(frame.columns)}") from error


def _numbers(values: pl.Series) -> NDArray[np.float64]:
    if values.dtype == pl.String or values.dtype.is_temporal():
        raise UsageError(f"column {values.name!r} is {values.dtype}, but a number was learnt: give numbers")
    # By way of float64 for every type, so that one row and many round alike.
    return values.cast(pl.Float64).to_numpy()


def _codes(values: pl.Series, codes: dict[str, float]) -> NDArray[np.float64]:
    texts = values if values.dtype == pl.String else values.cast(pl.String)
    if len(texts) <= FEW_ROWS:
        few = (MISSING if text is None else codes.get(text, OTHER) for text in texts.to_list())
        return np.fromiter(few, dtype=np.float64, count=len(texts))
    if not codes:
        return np.where(texts.is_null().to_numpy(), float(MISSING), float(OTHER))
    found = texts.replace_strict(
        list(codes), list(codes.values()), default=float(OTHER), return_dtype=pl.Float64
    )
    return found.zip_with(texts.is_not_null(), pl.Series([float(MISSING)], dtype=pl.Float64)).to_numpy()
