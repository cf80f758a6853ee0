"""Bets on paired losses."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.stats.betting import log_wealth, shadow_verdict

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)

DIFFERENCES = st.lists(st.floats(-1, 1), min_size=1, max_size=40)


@LAW
@given(DIFFERENCES, st.floats(-0.9, 0.9))
def test_it_is_the_formula_and_stakes_only_on_the_past(differences: list[float], margin: float) -> None:
    """Row by row, as science.md has it."""
    m, wealth, seen, squares = (margin + 1) / 2, 0.0, [0.5], 0.25
    for d, found in zip(differences, log_wealth(differences, margin), strict=True):
        mean, variance = sum(seen) / len(seen), squares / len(seen)
        stake = min(max((mean - m) / (variance + (mean - m) ** 2), 0.0), 0.5 / m)
        x = (d + 1) / 2
        wealth += math.log(1 + stake * (x - m))
        seen.append(x)
        squares += (x - sum(seen) / len(seen)) ** 2
        assert found == pytest.approx(wealth, abs=1e-7)


@LAW
@given(DIFFERENCES, DIFFERENCES)
def test_later_outcomes_do_not_change_earlier_wealth(first: list[float], later: list[float]) -> None:
    """A path grows at its end only."""
    assert log_wealth(first + later)[: len(first)].tolist() == pytest.approx(log_wealth(first).tolist())


def test_an_equal_challenger_is_rarely_called_worse_at_any_look() -> None:
    """2,000 shadows of 300 outcomes on the null, looked at after each: at most alpha."""
    rng = np.random.default_rng(0)
    losses = rng.beta(2, 3, size=(2000, 2, 300))
    wrong = [log_wealth(a - b).max() >= math.log(20) for a, b in losses]
    assert np.mean(wrong) <= 0.05


def test_verdicts_are_reached() -> None:
    """A worse one is found, an equal one passes a margin, a few rows say nothing."""
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.1, size=2000).clip(-0.5, 0.5)
    assert shadow_verdict(noise + 0.1, margin=0.05) == "worse"
    assert shadow_verdict(noise, margin=0.05) == "no-worse"
    assert shadow_verdict(noise[:5], margin=0.05) == "cannot-tell"
    assert shadow_verdict([], margin=0.05) == "cannot-tell"


def test_a_verdict_stands() -> None:
    """What was reached once is not lost again."""
    worse_then_better = np.concatenate([np.full(200, 0.5), np.full(5000, -0.5)])
    assert shadow_verdict(worse_then_better, margin=0.05) == "worse"


@pytest.mark.parametrize("bad", [1.5, -2.0, math.nan, math.inf])
def test_unbounded_losses_are_refused(bad: float) -> None:
    """The guarantee is for [-1, 1] only."""
    with pytest.raises(ValueError, match="bounded loss"):
        log_wealth([0.0, bad])


def test_senseless_arguments_are_refused() -> None:
    """Margins and alphas out of range."""
    with pytest.raises(ValueError, match="margin"):
        log_wealth([0.0], margin=1.0)
    with pytest.raises(ValueError, match="margin"):
        shadow_verdict([0.0], margin=-0.1)
    with pytest.raises(ValueError, match="alpha"):
        shadow_verdict([0.0], margin=0.1, alpha=1.0)
