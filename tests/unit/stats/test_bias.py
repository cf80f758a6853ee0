"""Prediction bias."""

import math

import numpy as np
import pytest

from trimtab.stats.bias import prediction_bias


def test_bias_is_signed_and_its_interval_knows_days() -> None:
    """Predictions 5 points too high are found; a calibrated model is not accused."""
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(40), 50)
    chance = np.clip(rng.uniform(0.2, 0.8, size=day.size) + 0.05 * rng.normal(size=40)[day], 0, 1)
    outcome = rng.random(day.size) < chance
    fair, high = (prediction_bias(p, outcome, day, seed=0) for p in (chance, chance + 0.05))
    assert fair.low < 0 < fair.high
    assert 0 < high.low < 0.05 < high.high
    assert high.value == pytest.approx(fair.value + 0.05)


def test_what_cannot_be_told_is_nan() -> None:
    """No rows, or an outcome that has not come."""
    assert math.isnan(prediction_bias([], [], [], seed=0).value)
    assert math.isnan(prediction_bias([0.5, 0.5], [1.0, math.nan], ["a", "b"], seed=0).low)


def test_different_rows_are_refused() -> None:
    """The same rows, in the same order."""
    with pytest.raises(ValueError, match="rows differ"):
        prediction_bias([0.5], [1.0, 0.0], ["a", "b"], seed=0)
