"""Laws of a family's limit."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.stats.alarm_limit import family_limit

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)

PAST = st.lists(st.floats(0, 50), min_size=12, max_size=80)


@LAW
@given(PAST, st.floats(1.01, 500), st.floats(1.01, 500), st.integers(1, 5))
def test_fewer_allowed_false_alarms_raise_the_limit(
    past: list[float], one: float, other: float, families: int
) -> None:
    """The limit rises with N, and stays above zero."""
    limits = [family_limit(past, spans, families) for spans in sorted((one, other))]
    assert 0 <= limits[0] <= limits[1] + 1e-9


def test_the_formula() -> None:
    """u_M + beta_M ln(N families k / (K + 1)), k = K / 4."""
    past = np.random.default_rng(0).exponential(size=60) + 3
    u = np.quantile(past, 0.75)
    beta = np.mean(past[past > u] - u)
    assert family_limit(past, 60, 2) == pytest.approx(u + beta * math.log(60 * 2 * 15 / 61))


def test_under_twelve_spans_it_is_bonferroni() -> None:
    """A short past says nothing of its tail."""
    assert family_limit([1.0] * 11, 60, 2, members=25) == pytest.approx(math.log(60 * 2 * 25))
    assert family_limit([], 60, 2, members=25) == pytest.approx(math.log(60 * 2 * 25))
    assert family_limit([math.nan, -math.inf] * 20, 60) == pytest.approx(math.log(60))


def test_one_exceedance_in_n_spans() -> None:
    """Exponential maxima: a fresh one is over the limit about once in N."""
    rng = np.random.default_rng(1)
    over = [rng.exponential() > family_limit(rng.exponential(size=60), 30) for _ in range(4000)]
    assert 0.6 / 30 < np.mean(over) < 1.6 / 30


def test_a_constant_past() -> None:
    """Nothing above the 75 % point: never below what one series alone would need."""
    assert family_limit([0.0] * 20, 60, 2) == pytest.approx(math.log(120))
    assert family_limit([9.0] * 20, 60, 2) == pytest.approx(9.0)


@pytest.mark.parametrize("spans", [1.0, 0.0, -3.0, math.nan])
def test_a_senseless_rate_is_refused(spans: float) -> None:
    """N must exceed 1."""
    with pytest.raises(ValueError, match="spans_per_false_alarm"):
        family_limit([1.0], spans)
