"""A type's text leads back to the type, and to nothing else."""

import polars as pl
import pytest

from trimtab.atoms.error import UsageError
from trimtab.rows.column import columns_of, dtype_of

TYPES = [
    pl.Int8(),
    pl.UInt64(),
    pl.Float32(),
    pl.String(),
    pl.Boolean(),
    pl.Date(),
    pl.Time(),
    pl.Datetime("us", "UTC"),
    pl.Datetime("ms"),
    pl.Duration("us"),
    pl.Decimal(10, 2),
    pl.Enum(["a", "b"]),
    pl.Categorical(),
    pl.List(pl.Int64()),
    pl.Array(pl.Float32(), 3),
    pl.Struct({"a": pl.Int64(), "b": pl.List(pl.String())}),
    pl.Null(),
]


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_a_types_text_leads_back_to_it(dtype: pl.DataType) -> None:
    assert dtype_of(str(dtype)) == dtype


@pytest.mark.parametrize("text", ["", "Int65", "DataFrame", "read_csv('x')", "Int64(", "__import__('os')"])
def test_nothing_else_is_a_type(text: str) -> None:
    with pytest.raises(UsageError, match="column type"):
        dtype_of(text)


def test_columns_are_in_order() -> None:
    frame = pl.DataFrame({"b": [1], "a": ["x"]})
    assert [(column.name, column.dtype) for column in columns_of(frame)] == [("b", "Int64"), ("a", "String")]
