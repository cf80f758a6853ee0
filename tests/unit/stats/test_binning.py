"""Laws of frozen bins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trimtab.stats.binning import count_bins, quantile_edges

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)

ANY = st.floats(allow_nan=True, allow_infinity=True)
COLUMN = st.lists(st.one_of(ANY, st.integers(-3, 3).map(float)), max_size=60)


@LAW
@given(COLUMN, st.integers(1, 25))
def test_edges_increase_and_every_value_of_the_baseline_lies_inside(column: list[float], bins: int) -> None:
    """Strictly increasing, finite, at most `bins` bins, none of them empty, nothing outside."""
    edges = quantile_edges(column, bins)
    finite = np.isfinite(np.array(column, dtype=float)).sum()
    assert np.all(np.isfinite(edges))
    assert np.all(edges[1:] > edges[:-1])
    if finite == 0:
        assert edges.size == 0
        return
    counts = count_bins(column, edges)
    assert 2 <= edges.size <= bins + 1
    assert counts[0] == counts[-1] == 0
    assert np.all(counts[1:-1] > 0)
    assert counts.sum() == finite


@LAW
@given(COLUMN, COLUMN)
def test_counts_of_parts_add_up_to_counts_of_the_whole(left: list[float], right: list[float]) -> None:
    """Counts merge by addition, so 1 shard and 8 shards say the same."""
    edges = quantile_edges([0.0, 1.0, 2.0, 5.0, 9.0], 3)
    assert np.array_equal(count_bins(left, edges) + count_bins(right, edges), count_bins(left + right, edges))


@LAW
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=50))
def test_few_distinct_values_get_one_bin_each(column: list[int]) -> None:
    """An integer column with few values is counted value by value."""
    counts = count_bins(column, quantile_edges(column, bins=20))
    assert np.array_equal(counts[1:-1], np.unique(column, return_counts=True)[1])


@LAW
@given(st.lists(st.floats(-1e9, 1e9), min_size=30, max_size=200, unique=True))
def test_bins_without_ties_are_about_equal(column: list[float]) -> None:
    """Without ties no bin holds more than its fair share and one."""
    counts = count_bins(column, quantile_edges(column, bins=10))[1:-1]
    assert counts.size == 10
    assert counts.max() <= np.ceil(len(column) / 10) + 1


def test_a_heavy_value_gets_a_bin_alone_and_leaves_the_others_their_resolution() -> None:
    """90 % zeros: one bin of zeros, and many more for the rest."""
    rng = np.random.default_rng(0)
    rain = np.concatenate([np.zeros(9000), rng.exponential(size=1000)])
    counts = count_bins(rain, quantile_edges(rain, bins=20))[1:-1]
    assert counts[0] == 9000
    assert counts.size == 20


def test_a_heavy_value_in_the_middle_is_not_mixed_with_its_neighbours() -> None:
    """Half of the rows at one value within a continuous column."""
    rng = np.random.default_rng(1)
    column = np.concatenate([rng.normal(size=1000), np.full(1000, 0.25)])
    assert 1000 in count_bins(column, quantile_edges(column))


@pytest.mark.parametrize("value", [0.0, -3.5, 1e-320, 1.7976931348623157e308, -1.7976931348623157e308])
def test_a_constant_column_has_one_bin(value: float) -> None:
    """Only that value is inside."""
    edges = quantile_edges([value] * 5)
    assert count_bins([value, 0.5 * value - 1, 1e300], edges).tolist()[1] == 1
    assert edges.size == 2


def test_a_value_that_went_through_float32_is_no_outsider() -> None:
    """Training in float64, serving in float32."""
    column: NDArray[np.float64] = np.array([0.1, 0.3, 0.7])
    counts = count_bins(column.astype(np.float32).astype(np.float64), quantile_edges(column))
    assert counts.tolist() == [0, 1, 1, 1, 0]


def test_bins_closed_on_the_left_and_the_last_on_both_sides() -> None:
    """A value on an edge has one home."""
    assert count_bins([0.0, 1.0, 2.0, 2.5, -0.1], [0.0, 1.0, 2.0]).tolist() == [1, 1, 2, 1]


def test_no_edges_make_everything_one_count() -> None:
    """A baseline without a finite value."""
    assert count_bins([1.0, np.nan, 2.0], []).tolist() == [2]


def test_no_bins_are_refused() -> None:
    """Zero bins are a mistake of the caller."""
    with pytest.raises(ValueError, match="at least 1"):
        quantile_edges([1.0], bins=0)
