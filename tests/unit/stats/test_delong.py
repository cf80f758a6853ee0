"""DeLong's test against the definition, and in simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from trimtab.stats.delong import delong_covariance, delong_test

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)


@LAW
@given(st.integers(0, 10**6))
def test_it_is_delongs_definition(seed: int) -> None:
    """Placement values pair by pair, as in the paper of 1988, ties included."""
    rng = np.random.default_rng(seed)
    truth = np.array([0, 0, 1, 1, *rng.integers(2, size=26)])
    scores = np.round(rng.normal(size=(2, 30)) + 0.7 * truth, 1)
    areas, covariance = delong_covariance(truth, scores)
    wins = [
        (s[truth == 1][:, None] > s[truth == 0]) + 0.5 * (s[truth == 1][:, None] == s[truth == 0])
        for s in scores
    ]
    above, below = np.stack([w.mean(axis=1) for w in wins]), np.stack([w.mean(axis=0) for w in wins])
    expected = np.cov(above) / above.shape[1] + np.cov(below) / below.shape[1]
    assert areas.tolist() == pytest.approx([roc_auc_score(truth, s) for s in scores])
    assert covariance.ravel().tolist() == pytest.approx(expected.ravel().tolist(), abs=1e-12)


def test_p_is_uniform_when_two_scores_are_equally_good() -> None:
    """5 % of null pairs have p < .05, and the bounds cover 0 in the other 95 %."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(600):
        truth = rng.integers(2, size=200)
        signal = truth + rng.normal(size=200)
        found.append(delong_test(truth, signal + rng.normal(size=200), signal + rng.normal(size=200)))
    rejected = np.array([test.p < 0.05 for test in found])
    assert 0.03 < rejected.mean() < 0.075
    assert np.array_equal(rejected, [test.low > 0 or test.high < 0 for test in found])


def test_swapping_turns_the_sign_and_a_better_score_is_found() -> None:
    """b - a."""
    rng = np.random.default_rng(1)
    truth = rng.integers(2, size=2000)
    a, b = truth + 3 * rng.normal(size=2000), truth + rng.normal(size=2000)
    one, other = delong_test(truth, a, b), delong_test(truth, b, a)
    assert one.low > 0
    assert one.p < 1e-6
    assert other.difference == pytest.approx(-one.difference)
    assert other.p == pytest.approx(one.p)


def test_the_same_ranking_does_not_differ() -> None:
    """A monotone change of the score: p = 1, no width."""
    rng = np.random.default_rng(2)
    truth, score = rng.integers(2, size=50), rng.normal(size=50)
    same = delong_test(truth, score, np.exp(score))
    assert (same.difference, same.p, same.low, same.high) == (0.0, 1.0, 0.0, 0.0)


def test_what_cannot_be_told_is_nan() -> None:
    """No rows, one class, one positive, NaN."""
    for truth, score in (([], []), ([0, 0], [0.1, 0.2]), ([1, 0], [math.nan, 0.2])):
        assert math.isnan(delong_test(truth, score, score).p)
    single = delong_test([1, 0, 0], [0.3, 0.2, 0.4], [0.3, 0.2, 0.1])
    assert single.difference == pytest.approx(0.5)
    assert math.isnan(single.p)


def test_wrong_shapes_are_refused() -> None:
    """Errors contain the fix."""
    with pytest.raises(ValueError, match="list of scores"):
        delong_covariance([0, 1], [0.1, 0.2])
    with pytest.raises(ValueError, match="rows differ"):
        delong_test([0, 1, 1], [0.1, 0.2], [0.1, 0.2])
