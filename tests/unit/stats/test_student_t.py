"""Student's t against scipy."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trimtab.stats.student_t import student_t_cdf, student_t_quantile

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)


@LAW
@given(st.floats(-50, 50), st.integers(1, 1200))
def test_the_distribution_function_is_scipys(t: float, degrees: int) -> None:
    """Exact for whole degrees of freedom; near 0 scipy itself is off by 1e-9, and the tangent is the truth there."""
    near = abs(t) < 1e-5
    truth = 0.5 + t * float(stats.t.pdf(0.0, degrees)) if near else float(stats.t.cdf(t, degrees))
    assert student_t_cdf(t, degrees) == pytest.approx(truth, abs=1e-9)


@LAW
@given(st.floats(1e-5, 1 - 1e-5), st.integers(1, 300))
def test_the_quantile_is_scipys(p: float, degrees: int) -> None:
    """Within a millionth."""
    assert student_t_quantile(p, degrees) == pytest.approx(float(stats.t.ppf(p, degrees)), rel=1e-6, abs=1e-9)


def test_edges() -> None:
    """Infinities, NaN, senseless arguments."""
    assert student_t_cdf(math.inf, 3) == 1.0
    assert student_t_cdf(-math.inf, 4) == 0.0
    assert math.isnan(student_t_cdf(math.nan, 4))
    with pytest.raises(ValueError, match="degrees_of_freedom"):
        student_t_cdf(0.0, 0)
    with pytest.raises(ValueError, match="strictly between"):
        student_t_quantile(1.0, 5)
