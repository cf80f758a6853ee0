"""Slices: the harmed one is found, the others are not accused."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from trimtab.stats.slice_score import compare_slices


def rows_of_carriers(
    rng: np.random.Generator, carriers: int = 8, days: int = 25
) -> tuple[NDArray[np.float64], NDArray[np.str_], NDArray[np.int64]]:
    """Improvements of 10 rows a carrier and day, with a day effect; on average 0."""
    day = np.repeat(np.arange(days), 10 * carriers)
    carrier = np.tile(np.repeat([f"c{i}" for i in range(carriers)], 10), days)
    effect = 0.1 * rng.normal(size=(days, carriers))
    return (
        effect[day, np.char.lstrip(carrier, "c").astype(int)] + 0.3 * rng.normal(size=day.size),
        carrier,
        day,
    )


def test_no_slice_is_accused_when_none_is_harmed() -> None:
    """At the margin itself, in at most 5 % of families."""
    rng = np.random.default_rng(0)
    accused = []
    for trial in range(150):
        rows, carrier, day = rows_of_carriers(rng)
        scores = compare_slices(rows, carrier, day, margin=0.0, replicates=50, seed=trial)
        accused.append(any(score.verdict == "worse" for score in scores))
    assert np.mean(accused) < 0.09


def test_the_harmed_slice_is_found_and_stands_first() -> None:
    """One carrier loses 0.2, the whole does not notice."""
    rows, carrier, day = rows_of_carriers(np.random.default_rng(1))
    rows[carrier == "c3"] -= 0.2
    scores = compare_slices(rows, carrier, day, margin=0.05, seed=0)
    assert [score.value for score in scores if score.verdict == "worse"] == ["c3"]
    assert scores[0].value == "c3"
    assert scores[0].adjusted_p is not None
    assert scores[0].adjusted_p < 0.01


def test_small_slices_are_shown_and_not_judged() -> None:
    """Too few rows, too few days, a NaN row."""
    rows, carrier, day = rows_of_carriers(np.random.default_rng(2), carriers=3)
    rows[carrier == "c0"] -= 5
    keep = (carrier != "c0") | (day < 9)
    keep &= (carrier != "c1") | (np.arange(day.size) % 10 < 3)
    rows[np.flatnonzero(carrier == "c2")[0]] = math.nan
    scores = compare_slices(rows[keep], carrier[keep], day[keep], margin=0.05, minimum_rows=90, seed=0)
    assert {score.verdict for score in scores} == {"cannot-tell"}
    assert all(score.adjusted_p is None for score in scores)
    assert scores[-1].value == "c2"


def test_identical_models_are_no_worse_in_every_slice() -> None:
    """No differences, no noise, no margin."""
    _, carrier, day = rows_of_carriers(np.random.default_rng(3))
    scores = compare_slices(np.zeros(day.size), carrier, day, margin=0.0, seed=0)
    assert {score.verdict for score in scores} == {"no-worse"}


def test_no_rows_and_other_rows() -> None:
    """Nothing gives nothing; different rows are refused."""
    assert compare_slices([], [], [], margin=0.0, seed=0) == ()
    with pytest.raises(ValueError, match="rows differ"):
        compare_slices([1.0], ["a", "b"], [0, 1], margin=0.0, seed=0)
    with pytest.raises(ValueError, match="margin"):
        compare_slices([1.0, 2.0], ["a", "b"], [0, 1], margin=-1.0, seed=0)
