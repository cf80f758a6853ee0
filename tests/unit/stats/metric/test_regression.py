"""Regression metrics against scikit-learn, and their edges."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from trimtab.stats.metric.absolute_error import mae
from trimtab.stats.metric.catalog import METRICS
from trimtab.stats.metric.r2 import r2
from trimtab.stats.metric.squared_error import mse, rmse

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)

VALUES = st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=50)


@LAW
@given(VALUES)
def test_errors_agree_with_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    """The same numbers on the same rows."""
    truth, prediction = np.array(pairs).T
    assert mse(truth, prediction) == pytest.approx(sk.mean_squared_error(truth, prediction))
    assert rmse(truth, prediction) == pytest.approx(sk.root_mean_squared_error(truth, prediction))
    assert mae(truth, prediction) == pytest.approx(sk.mean_absolute_error(truth, prediction))


@LAW
@given(st.integers(0, 10**6), st.floats(1e-6, 1e6), st.floats(-1e6, 1e6))
def test_r2_agrees_with_scikit_learn_in_any_unit(seed: int, unit: float, shift: float) -> None:
    """Scale and shift change nothing but rounding."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=30)
    prediction = truth + rng.normal(size=30)
    expected = sk.r2_score(truth, prediction)
    assert r2(truth, prediction) == pytest.approx(expected)
    assert r2(unit * truth, unit * prediction) == pytest.approx(expected)
    assert r2(truth + shift, prediction + shift) == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("name", ["rmse", "mse", "mae", "r2"])
def test_what_cannot_be_told_is_nan(name: str) -> None:
    """No rows, or a NaN on either side."""
    score = METRICS[name].score
    assert math.isnan(score([], []))
    assert math.isnan(score([1.0, 2.0, math.nan], [1.0, 2.0, 3.0]))
    assert math.isnan(score([1.0, 2.0, 3.0], [1.0, math.nan, 3.0]))


def test_a_constant_outcome_leaves_nothing_to_explain() -> None:
    """R2 is NaN; the errors are not."""
    assert math.isnan(r2([2.0, 2.0], [1.0, 3.0]))
    assert math.isnan(r2([0.1 + 0.2, 0.1 + 0.2], [1.0, 3.0]))
    assert rmse([2.0, 2.0], [1.0, 3.0]) == 1.0


def test_huge_and_infinite_values_warn_nobody() -> None:
    """Overflow is infinity, not an exception."""
    assert rmse([1e300, 0.0], [-1e300, 0.0]) == math.inf
    assert mae([1.0, 2.0], [math.inf, 2.0]) == math.inf
    assert r2([1.0, 2.0], [math.inf, 2.0]) == -math.inf
    assert r2([1e200, -1e200], [1e200, -1e200]) == 1.0


def test_wrong_shapes_are_refused() -> None:
    """Not the same rows, or a matrix."""
    with pytest.raises(ValueError, match="rows differ"):
        mae([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"shape \(n,\)"):
        mae([[1.0]], [1.0])
