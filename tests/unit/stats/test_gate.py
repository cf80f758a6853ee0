"""The gate's verdicts, and how honest its request for labels is."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.stats.block_bootstrap import mean_interval
from trimtab.stats.gate import gate_verdict, labels_needed, level_after_looks
from trimtab.stats.interval import Interval

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)

BOUND = st.floats(-10, 10)
INTERVAL = st.builds(
    lambda three, n, blocks: Interval(sorted(three)[1], min(three), max(three), n, blocks),
    st.tuples(BOUND, BOUND, BOUND),
    st.integers(100, 10_000),
    st.integers(1, 100),
)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 0.3, "better"),
        (-0.01, 0.3, "no-worse"),
        (-0.05, -0.01, "no-worse"),
        (-0.3, -0.1, "worse"),
        (-0.1, 0.1, "cannot-tell"),
        (-0.1, -0.01, "cannot-tell"),
        (math.nan, math.nan, "cannot-tell"),
    ],
)
def test_verdicts(low: float, high: float, verdict: str) -> None:
    """With a margin of 0.05."""
    assert gate_verdict(Interval((low + high) / 2, low, high, 1000, 30), margin=0.05) == verdict


@LAW
@given(INTERVAL, st.floats(0, 5), st.floats(0, 5))
def test_a_wider_margin_never_turns_no_worse_into_worse(interval: Interval, one: float, other: float) -> None:
    """Verdicts are monotone in the margin."""
    order = {"worse": 0, "cannot-tell": 1, "no-worse": 2, "better": 3}
    strict, lax = (order[gate_verdict(interval, margin)] for margin in sorted((one, other)))
    assert strict <= lax


@LAW
@given(INTERVAL, st.floats(0, 5))
def test_labels_are_asked_for_exactly_when_nothing_can_be_told(interval: Interval, margin: float) -> None:
    """And never infinitely many."""
    needed = labels_needed(interval, margin)
    assert needed is not None
    assert (needed > 0) == (gate_verdict(interval, margin) == "cannot-tell")
    assert needed <= 32 * interval.n + 10 * interval.n


def test_few_blocks_ask_for_blocks() -> None:
    """4 days of 100 rows: 6 more days."""
    assert labels_needed(Interval(0.0, -0.01, 0.01, 400, 4), margin=0.5) == 600
    assert labels_needed(Interval(0.0, math.nan, math.nan, 100, 1), margin=0.5) == 900
    assert gate_verdict(Interval(9.0, 8.0, 10.0, 400, 9), margin=0.5) == "cannot-tell"
    assert labels_needed(Interval(math.nan, math.nan, math.nan, 0, 0), margin=0.5) is None


def test_the_labels_asked_for_decide_in_four_of_five_cases() -> None:
    """Simulated: an equal challenger, a margin that 40 days cannot resolve."""
    rng = np.random.default_rng(0)

    def days(count: int) -> Interval:
        day = np.repeat(np.arange(count), 20)
        return mean_interval(rng.normal(size=count)[day] + rng.normal(size=day.size), day, 400, seed=1)

    margin, now = 0.25, Interval(0.0, -0.32, 0.32, 800, 40)
    needed = labels_needed(now, margin)
    assert needed is not None
    total_days = (800 + needed) // 20
    decided = [gate_verdict(days(total_days), margin) in ("no-worse", "better") for _ in range(200)]
    assert 0.7 < np.mean(decided) < 0.9


def test_an_equal_challenger_is_rarely_called_better_or_worse() -> None:
    """At most 2.5 % to either side."""
    rng = np.random.default_rng(1)
    found = []
    for trial in range(400):
        day = np.repeat(np.arange(20), 10)
        rows = rng.normal(size=20)[day] + rng.normal(size=200)
        found.append(gate_verdict(mean_interval(rows, day, 400, seed=trial), margin=0.0))
    assert found.count("better") / 400 < 0.05
    assert found.count("worse") / 400 < 0.05


def test_looks_divide_the_error() -> None:
    """Twenty looks at 95 % are each at 99.75 %."""
    assert level_after_looks(0.95, 1) == pytest.approx(0.95)
    assert level_after_looks(0.95, 20) == pytest.approx(0.9975)
    with pytest.raises(ValueError, match="looks"):
        level_after_looks(0.95, 0)


@pytest.mark.parametrize("margin", [-0.1, math.nan, math.inf])
def test_a_senseless_margin_is_refused(margin: float) -> None:
    """It says how much worse would still do."""
    with pytest.raises(ValueError, match="margin"):
        gate_verdict(Interval(0.0, -1.0, 1.0, 100, 20), margin)
