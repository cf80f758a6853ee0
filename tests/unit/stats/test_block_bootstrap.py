"""Block bootstrap: coverage where rows cluster, laws, speed."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trimtab.stats.block import MOST_BLOCKS, block_codes, block_sums
from trimtab.stats.block_bootstrap import (
    mean_interval,
    metric_interval,
    paired_difference,
    paired_improvement,
)
from trimtab.stats.interval import Interval, replicate_interval
from trimtab.stats.metric.catalog import METRICS

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)


def clustered(
    rng: np.random.Generator, blocks: int, size: int = 20
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Rows whose day moves them as much as chance does; the true mean is 0."""
    day = np.repeat(np.arange(blocks), size)
    return rng.normal(size=blocks)[day] + rng.normal(size=day.size), day


@pytest.mark.parametrize("blocks", [10, 40])
def test_intervals_cover_the_truth_as_often_as_they_say(blocks: int) -> None:
    """95 % with clustered rows, from 10 blocks on; as if rows were independent it would be under 70 %."""
    rng = np.random.default_rng(blocks)
    covered, naive = [], []
    for trial in range(300):
        rows, day = clustered(rng, blocks)
        interval = mean_interval(rows, day, replicates=400, seed=trial)
        covered.append(interval.low <= 0 <= interval.high)
        naive.append(abs(rows.mean()) <= 1.96 * rows.std() / math.sqrt(rows.size))
    assert 0.92 <= np.mean(covered) <= 0.98
    assert np.mean(naive) < 0.7


def test_auc_intervals_cover_the_truth() -> None:
    """A score of d' = 1 has AUC 0.7602; days move the scores of positives."""
    rng = np.random.default_rng(8)
    covered = []
    for trial in range(250):
        day = np.repeat(np.arange(25), 24)
        truth = rng.integers(2, size=day.size)
        shift = 1.0 + 0.3 * rng.normal(size=25)[day]
        score = 1 / (1 + np.exp(-rng.normal(size=day.size) - truth * shift))
        prediction = np.column_stack([1 - score, score])
        interval = metric_interval(METRICS["roc_auc"], truth, prediction, day, 400, seed=trial)
        covered.append(
            interval.low <= 0.7558 <= interval.high
        )  # E Phi(shift / sqrt 2) = Phi(1 / sqrt(2 + .09))
    assert 0.91 <= np.mean(covered) <= 0.985


@LAW
@given(st.integers(0, 10**6), st.floats(-1e3, 1e3), st.floats(0.01, 100))
def test_an_interval_moves_and_stretches_with_its_rows(seed: int, shift: float, scale: float) -> None:
    """Shift and scale of the rows carry over to the bounds."""
    rows, day = clustered(np.random.default_rng(seed), 12, 3)
    one = mean_interval(rows, day, 100, seed=1)
    other = mean_interval(scale * rows + shift, day, 100, seed=1)
    assert (other.n, other.blocks) == (36, 12)
    for ours, theirs in ((one.value, other.value), (one.low, other.low), (one.high, other.high)):
        assert theirs == pytest.approx(scale * ours + shift, abs=1e-6 * (1 + abs(shift) + scale))


@LAW
@given(st.integers(0, 10**6))
def test_swapping_the_models_turns_the_interval_around(seed: int) -> None:
    """a - b and b - a are mirror images."""
    rng = np.random.default_rng(seed)
    (a, day), b = clustered(rng, 12, 3), rng.normal(size=36)
    one, other = paired_difference(a, b, day, 200, seed=3), paired_difference(b, a, day, 200, seed=3)
    assert other.value == pytest.approx(-one.value)
    assert other.low == pytest.approx(-one.high, abs=1e-9)


@LAW
@given(st.permutations(range(24)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    """Nor the names of the blocks."""
    rows, day = np.sin(np.arange(24.0)), np.arange(24) // 4
    one = mean_interval(rows, day, 100, seed=5)
    other = mean_interval(rows[order], [f"day {x}" for x in day[order]], 100, seed=5)
    assert other.low == pytest.approx(one.low)
    assert other.high == pytest.approx(one.high)


def test_the_same_seed_gives_the_same_interval() -> None:
    """No hidden randomness."""
    rows, day = clustered(np.random.default_rng(0), 15)
    assert mean_interval(rows, day, seed=1) == mean_interval(rows, day, seed=1)
    assert mean_interval(rows, day, seed=1) != mean_interval(rows, day, seed=2)


def test_pairing_removes_what_both_models_find_hard() -> None:
    """The paired interval is far narrower than either model's own."""
    rng = np.random.default_rng(2)
    hard, day = clustered(rng, 30)
    a, b = hard + 0.1 * rng.normal(size=hard.size), hard + 0.1 * rng.normal(size=hard.size) - 0.05
    paired = paired_difference(a, b, day, seed=0)
    alone = mean_interval(a, day, seed=0)
    assert paired.low > 0
    assert paired.high - paired.low < 0.1 * (alone.high - alone.low)


@pytest.mark.parametrize("name", list(METRICS))
def test_improvement_is_positive_for_the_better_model_whichever_way_the_metric_points(name: str) -> None:
    """A challenger that knows more is better in every metric."""
    rng = np.random.default_rng(6)
    metric, n = METRICS[name], 3000
    day = np.arange(n) // 100
    if metric.task == "regression":
        truth = rng.normal(size=n)
        champion, challenger = (truth + noise * rng.normal(size=n) for noise in (1.0, 0.3))
    else:
        sure = rng.uniform(0.02, 0.98, size=n)
        truth = (rng.random(n) < sure).astype(int)
        vague = 1 / (1 + np.exp(-np.log(sure / (1 - sure)) - 1.5 * rng.normal(size=n)))
        champion, challenger = (np.column_stack([1 - p, p]) for p in (vague, sure))
    interval = paired_improvement(metric, truth, champion, challenger, day, 300, seed=0)
    assert 0 < interval.low <= interval.value <= interval.high
    assert (interval.n, interval.blocks) == (n, 30)
    same = paired_improvement(metric, truth, champion, champion, day, 300, seed=0)
    assert (same.low, same.value, same.high) == (0.0, 0.0, 0.0)


def test_what_cannot_be_told_has_nan_bounds() -> None:
    """No rows, a NaN row, an infinite row, a single block, a single class."""
    assert math.isnan(mean_interval([], [], seed=0).value)
    assert math.isnan(mean_interval([1.0, math.nan], ["a", "b"], seed=0).value)
    assert math.isnan(paired_difference([1.0, math.inf], [1.0, math.inf], ["a", "b"], seed=0).value)
    one_block = mean_interval([1.0, 2.0], ["a", "a"], seed=0)
    assert one_block.value == 1.5
    assert math.isnan(one_block.low)
    one_class = metric_interval(METRICS["roc_auc"], [0, 0], [[0.5, 0.5]] * 2, ["a", "b"], seed=0)
    assert math.isnan(one_class.low)
    both = paired_improvement(METRICS["roc_auc"], [0, 0], [[0.5, 0.5]] * 2, [[0.5, 0.5]] * 2, [0, 1], seed=0)
    assert math.isnan(both.value)


def test_mistakes_are_refused() -> None:
    """Rows that differ, no replicates, a senseless level."""
    with pytest.raises(ValueError, match="rows differ"):
        mean_interval([1.0, 2.0], ["a"], seed=0)
    with pytest.raises(ValueError, match="replicates"):
        mean_interval([1.0, 2.0], ["a", "b"], 0, seed=0)
    with pytest.raises(ValueError, match="level"):
        mean_interval([1.0, 2.0], ["a", "b"], seed=0, level=1.0)
    with pytest.raises(ValueError, match="one label a row"):
        block_codes([["a"], ["b"]])


def test_row_sized_blocks_are_merged_with_their_neighbours() -> None:
    """5,000 blocks become 1,000, in order, and the width stays that of independent rows."""
    rng = np.random.default_rng(9)
    codes, count = block_codes(np.arange(5000))
    assert count == MOST_BLOCKS
    assert np.all(np.diff(codes) >= 0)
    assert set(block_sums(np.ones(5000), codes, count)) == {5.0}
    interval = mean_interval(rng.normal(size=5000), np.arange(5000), seed=0)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 / math.sqrt(5000), rel=0.15)


def test_replicates_that_are_mostly_undefined_tell_nothing() -> None:
    """Half NaN is too little."""
    assert math.isnan(replicate_interval(0.5, np.array([0.4, math.nan]), 10, 10).low)
    assert replicate_interval(0.5, np.array([0.4, 0.6, math.nan]), 10, 10) == Interval(
        0.5, pytest.approx(0.4, abs=0.01), pytest.approx(0.6, abs=0.01), 10, 10
    )


def test_it_is_fast_enough_for_a_gate() -> None:
    """Paired AUC on 50,000 rows, 60 blocks, 1,000 replicates: 0.1 s here, 1 s is the promise."""
    rng = np.random.default_rng(10)
    truth, score = rng.integers(2, size=50_000), rng.random((2, 50_000))
    champion, challenger = (np.column_stack([1 - p, p]) for p in score)
    start = time.perf_counter()
    paired_improvement(
        METRICS["roc_auc"], truth, champion, challenger, np.arange(50_000) // 834, 1000, seed=0
    )
    assert time.perf_counter() - start < 1.0
