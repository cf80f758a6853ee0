"""What a target column asks for."""

from datetime import date
from typing import Any

import polars as pl
import pytest

from trimtab.atoms.error import UsageError
from trimtab.loop.train.target import read_target, target_codes


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        ([True, False, None], "classification", (False, True)),
        (["late", "early"], "classification", ("early", "late")),
        ([3, 1, 2], "classification", (1, 2, 3)),
        (list(range(30)), "regression", ()),
        ([1.0, 0.0, None], "classification", (0, 1)),
        ([1.0, 0.0, 2.0], "regression", ()),
        ([1.5, 0.0], "regression", ()),
        ([1.0, float("nan"), 2.0], "classification", (1, 2)),
    ],
)
def test_the_values_tell_the_task(values: list[Any], task: str, classes: tuple[Any, ...]) -> None:
    target = read_target(pl.Series("y", values), None, "target")
    assert (target.task, target.classes) == (task, classes)
    assert [type(value) for value in target.classes] == [type(value) for value in classes]


def test_what_the_project_says_goes_before() -> None:
    assert read_target(pl.Series([0, 1, 1]), "regression", "t").task == "regression"
    assert read_target(pl.Series([0.5, 1.5]), "classification", "t").classes == (0.5, 1.5)
    assert read_target(pl.Series(list(range(30))), "classification", "t").classes == tuple(range(30))


@pytest.mark.parametrize(
    ("column", "task", "said"),
    [
        (pl.Series([None, None], dtype=pl.Float64), None, "no value"),
        (pl.Series([float("nan")]), None, "no value"),
        (pl.Series([True, True]), None, "one class"),
        (pl.Series([2.5, 2.5]), None, "every row"),
        (pl.Series(["a", "b"]), "regression", "needs numbers"),
        (pl.Series([1.5, float("inf")]), None, "infinite"),
        (pl.Series([date(2013, 1, 1), date(2013, 1, 2)]), None, "Date"),
        (pl.Series([f"name {place}" for place in range(1500)]), None, "too many"),
    ],
)
def test_what_cannot_be_learnt_is_told(column: pl.Series, task: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=f"model 'm'.*{said}"):
        read_target(column, task, "model 'm': target 'y'")


def test_codes_are_places_among_the_classes() -> None:
    target = read_target(pl.Series(["b", "a", "b"]), None, "t")
    assert target_codes(pl.Series(["b", "a", "z"]), target).tolist() == [1, 0, -1]
    floats = read_target(pl.Series([1.0, 0.0]), None, "t")
    assert target_codes(pl.Series([1.0, 0.0]), floats).tolist() == [1, 0]
    values = read_target(pl.Series([1.5, 2.0, 7.0]), None, "t")
    assert target_codes(pl.Series([1, 2]), values).tolist() == [1.0, 2.0]
