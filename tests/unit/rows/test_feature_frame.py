"""Request features are row-level, and held to it."""

from collections.abc import Callable

import polars as pl
import pytest

from trimtab.atoms.error import UsageError
from trimtab.rows.feature_frame import feature_names, request_frame
from trimtab.spec.feature import RequestFeatures

ROWS = pl.DataFrame({"x": [3, 1, 2], "c": ["b", "a", None]})


def features(compute: Callable[[pl.LazyFrame], object]) -> list[RequestFeatures]:
    return [RequestFeatures("mine", compute)]


def test_functions_run_in_order_and_rows_stay() -> None:
    twice = [
        RequestFeatures("one", lambda rows: rows.with_columns(y=pl.col("x") + 1)),
        RequestFeatures("two", lambda rows: rows.select("x", z=pl.col("y") * 2).collect()),
    ]
    assert request_frame(ROWS, twice).to_dict(as_series=False) == {"x": [3, 1, 2], "z": [8, 4, 6]}
    assert request_frame(ROWS, []) is ROWS


@pytest.mark.parametrize(
    ("compute", "said"),
    [
        (lambda rows: rows.filter(pl.col("x") > 1), "gave 2 rows for 3"),
        (lambda rows: rows.sort("x"), "another order"),
        (lambda rows: rows.with_columns(before=pl.col("x").shift(1)), "another order"),
        (lambda rows: rows.with_columns(sum=pl.col("x").cum_sum()), "another order"),
        (lambda rows: rows.with_columns(y=pl.col("gone")), "failed: ColumnNotFoundError"),
        (lambda rows: 1 / 0, "failed: ZeroDivisionError"),
        (lambda rows: None, "gave a NoneType"),
    ],
)
def test_what_is_not_row_level_is_named(compute: Callable[[pl.LazyFrame], object], said: str) -> None:
    with pytest.raises(UsageError, match=f"'mine'.*{said}"):
        request_frame(ROWS, features(compute))


def test_what_can_be_encoded_is_a_feature() -> None:
    frame = ROWS.with_columns(
        d=pl.lit("2013-01-31").str.to_date(),
        l=pl.lit([1]),
        f=pl.lit(1.5),
        b=pl.lit(True),
        e=pl.lit("u").cast(pl.Enum(["u"])),
    )
    assert feature_names(frame, exclude=("x",)) == ("c", "f", "b", "e")
