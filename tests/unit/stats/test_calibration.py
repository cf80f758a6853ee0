"""Laws of surprise."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.stats.calibration import surprise
from trimtab.stats.ordered_quantile import ordered_quantile

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)

READING = st.floats(-1e6, 1e6)
PAST = st.lists(st.one_of(READING, st.just(math.nan)), max_size=40)


@LAW
@given(PAST, st.lists(READING, min_size=2, max_size=10), st.floats(0, 10), st.booleans())
def test_a_larger_reading_never_surprises_less(
    past: list[float], readings: list[float], null_sd: float, two_sided: bool
) -> None:
    """Surprise rises with the distance above the median; it is never negative."""
    seen = [value for value in past if not math.isnan(value)]
    median = float(np.median(seen)) if seen else 0.0
    ordered = sorted(value for value in readings if value >= median)
    found = [surprise(value, past, null_sd, two_sided=two_sided) for value in ordered]
    assert all(s >= 0 for s in found)
    assert all(after >= before - 1e-9 for before, after in pairwise(found))


@LAW
@given(
    st.lists(st.integers(-1000, 1000), min_size=1, max_size=30), st.integers(-3000, 3000), st.floats(1, 10)
)
def test_two_sided_surprise_does_not_know_up_from_down(past: list[int], value: int, null_sd: float) -> None:
    """Turning all signs changes nothing."""
    mirrored = surprise(-value, [-x for x in past], null_sd)
    assert surprise(value, past, null_sd) == pytest.approx(mirrored, rel=1e-6, abs=1e-6)


@LAW
@given(st.permutations(list(range(20))), st.integers(0, 10))
def test_the_order_of_the_past_and_its_gaps_do_not_matter(order: list[int], gaps: int) -> None:
    """A missing span is as if it had not been."""
    past = [math.sin(i * 7.0) for i in order]
    expected = surprise(2.5, sorted(past), 0.1)
    assert surprise(2.5, [*past, *[math.nan] * gaps], 0.1) == pytest.approx(expected)


def test_the_formula_of_the_tail() -> None:
    """Step by step as science.md has it, written out on one series."""
    rng = np.random.default_rng(3)
    past, value, null_sd = rng.normal(size=60), 4.0, 0.3
    centre = np.median(past)
    mad = 1.4826 * np.median(np.abs(past - centre))
    scale = max(mad, (np.quantile(past, 0.95) - np.quantile(past, 0.05)) / 3.29, null_sd)
    z = np.abs(past - centre) / scale
    u = np.quantile(z, 0.8)
    k = np.sum(z > u)
    beta = (np.sum(z[z > u] - u) + 4 * 0.6) / (k + 4)
    expected = math.log(61 / k) + ((value - centre) / scale - u) / beta
    assert surprise(value, past, null_sd) == pytest.approx(expected)


def test_small_samples_are_guarded_by_the_null_sd() -> None:
    """A quiet past does not make sampling noise an alarm."""
    quiet = [0.001 * (-1) ** i for i in range(60)]
    assert surprise(0.05, quiet, null_sd=0.05) < 6 < 30 < surprise(0.05, quiet, null_sd=0.0)


def test_only_a_rise_of_the_shape_surprises() -> None:
    """One-sided: a fall is no news."""
    past = np.linspace(-1, 1, 40)
    assert surprise(-30.0, past, 0.1, two_sided=False) == pytest.approx(0.0)
    assert surprise(-30.0, past, 0.1, two_sided=True) > 10


@pytest.mark.parametrize(
    ("past", "value"), [([], 5.0), ([1.0] * 30, 2.0), ([math.nan] * 5, 1.0), ([0.0], 1e308)]
)
def test_poor_pasts_still_give_a_number(past: list[float], value: float) -> None:
    """Empty, constant, missing, huge."""
    s = surprise(value, past, 0.1)
    assert s > 2
    assert not math.isnan(s)


def test_a_constant_past_with_no_noise() -> None:
    """No change is no surprise; any change is a huge one."""
    assert surprise(1.0, [1.0] * 30, 0.0) == pytest.approx(0.0)
    assert surprise(1.1, [1.0] * 30, 0.0) > 1000


def test_a_missing_reading_has_no_surprise() -> None:
    """Cannot tell is not calm."""
    assert math.isnan(surprise(math.nan, [1.0, 2.0], 0.1))


def test_surprise_is_about_exponential_when_nothing_happens() -> None:
    """P(s > 3) is about e^-3 for a fresh normal reading, whether from 20 or 60 spans."""
    rng = np.random.default_rng(5)
    for spans in (20, 60):
        found = np.array([surprise(rng.normal(), rng.normal(size=spans), 0.0) for _ in range(2000)])
        assert 0.5 * math.exp(-3) < np.mean(found > 3) < 1.7 * math.exp(-3)


@LAW
@given(st.lists(READING, min_size=1, max_size=20), st.floats(0, 1))
def test_quantiles_with_gaps_are_numpys(values: list[float], share: float) -> None:
    """Against `np.quantile` on what is there."""
    row = np.array([[*sorted(values), math.nan, math.nan]])
    found = ordered_quantile(row, np.array([len(values)]), share)[0]
    assert found == pytest.approx(float(np.quantile(values, share)), rel=1e-9, abs=1e-6)
