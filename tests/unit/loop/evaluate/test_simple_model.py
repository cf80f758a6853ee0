"""The simple models say what the training rows say, and no more."""

import numpy as np
import polars as pl
import pytest

from trimtab.loop.evaluate.simple_model import fit_constant, fit_one_feature
from trimtab.rows.encoding import encode, learn_encoding


@pytest.fixture
def rows():
    """Two numbers and a category; the second number alone decides."""
    random = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "noise": random.normal(size=2000),
            "signal": np.where(random.random(2000) < 0.1, np.nan, random.normal(size=2000)),
            "kind": random.choice(["a", "b", "d"], 2000),
        }
    )
    encoding = learn_encoding(frame, ("noise", "signal", "kind"))
    return frame, encode(frame, encoding), encoding


def test_the_constant_is_the_class_shares():
    """Three rows of four are of the second class."""
    assert (
        fit_constant(np.array([1, 1, 0, 1]), 2).answer(np.zeros((2, 1), np.float32)).tolist()
        == [[0.25, 0.75]] * 2
    )


def test_the_constant_of_a_regression_is_the_mean():
    """One number a row."""
    assert fit_constant(np.array([1.0, 3.0]), 0).answer(np.zeros((2, 1), np.float32)).tolist() == [2.0, 2.0]


@pytest.mark.parametrize("classes", [2, 0])
def test_the_feature_that_decides_is_chosen(rows, classes):
    """Its bins, missing values in one of their own, carry the outcome."""
    frame, encoded, encoding = rows
    signal = frame.get_column("signal").to_numpy()
    truth = np.where(np.isnan(signal), 1, signal > 0).astype(np.int64 if classes else np.float64)
    model = fit_one_feature(encoded, truth, encoding, classes)
    assert model.feature == "signal"
    answers = model.answer(np.array([[0, 2, 0], [0, -2, 0], [0, np.nan, 0]], np.float32))
    chance = answers[:, 1] if classes else answers
    assert chance[0] > 0.9
    assert chance[1] < 0.1
    assert chance[2] > 0.9


def test_each_category_is_a_bin(rows):
    """Shares by category, and a category that training never saw gets the overall share."""
    frame, encoded, encoding = rows
    truth = (frame.get_column("kind").to_numpy() == "b").astype(np.int64)
    model = fit_one_feature(encoded, truth, encoding, 2)
    assert model.feature == "kind"
    code = {name: 2 + place for place, name in enumerate(encoding.columns[2].categories)}
    answers = model.answer(np.array([[0, 0, code["b"]], [0, 0, code["a"]], [0, 0, 1]], np.float32))[:, 1]
    assert answers[0] > 0.95
    assert answers[1] < 0.05
    assert answers[2] == pytest.approx(truth.mean())


def test_no_rows_give_a_constant():
    """Nothing to choose from."""
    empty = learn_encoding(pl.DataFrame({"x": [1.0]}), ("x",))
    assert fit_one_feature(np.zeros((0, 1), np.float32), np.zeros(0), empty, 0).feature is None
