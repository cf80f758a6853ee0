"""The few points draw the line that all points draw."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.stats.m4 import m4

VALUES = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=300)


@given(VALUES, st.integers(10, 60), st.integers(0, 2**32 - 1))
def test_first_last_lowest_highest_and_gaps_stay(values: list[float], most: int, seed: int) -> None:
    y = np.array(values)
    x = np.sort(np.random.default_rng(seed).integers(0, 1000, y.size))
    places = m4(x, y, most)
    assert len(places) <= most or len(places) == len(y) <= most
    assert (np.diff(places) > 0).all()
    assert places[0] == 0
    assert places[-1] == y.size - 1
    kept = y[places]
    assert np.isnan(kept).any() == np.isnan(y).any()
    if not np.isnan(y).all():
        assert np.nanmin(kept) == np.nanmin(y)
        assert np.nanmax(kept) == np.nanmax(y)


def test_every_column_of_pixels_keeps_its_extent() -> None:
    rng = np.random.default_rng(1)
    x, y = np.arange(100_000), rng.normal(size=100_000)
    places = m4(x, y, 400)
    assert 390 <= len(places) <= 400
    for column in range(100):
        whole = y[column * 1000 : (column + 1) * 1000]
        mine = y[places[places // 1000 == column]]
        assert (mine.min(), mine.max(), mine[0], mine[-1]) == (whole.min(), whole.max(), whole[0], whole[-1])


def test_a_spike_of_one_point_in_a_million_is_there() -> None:
    y = np.zeros(1_000_000)
    y[654_321] = 1.0
    assert 654_321 in m4(np.arange(y.size), y, 500)


@pytest.mark.parametrize("place", [1, 503, 777, 998])
def test_a_gap_of_one_point_is_there(place: int) -> None:
    y = np.sin(np.arange(1000.0))
    y[place] = np.nan
    assert place in m4(np.arange(1000), y, 50)


def test_all_points_at_one_step_are_thinned_too() -> None:
    places = m4(np.zeros(1000), np.arange(1000.0), 40)
    assert places[0] == 0
    assert places[-1] == 999
    assert len(places) <= 40


@pytest.mark.parametrize(
    ("x", "y", "most"),
    [([1, 2], [1.0], 10), ([1, 2], [1.0, 2.0], 9), (list(range(20, 0, -1)), [0.0] * 20, 10)],
)
def test_what_cannot_be_drawn_is_refused(x: list[int], y: list[float], most: int) -> None:
    with pytest.raises(ValueError):
        m4(x, y, most)
