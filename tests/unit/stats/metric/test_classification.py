"""Classification metrics against scikit-learn, and what they say where the rows cannot tell."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics as sk

from trimtab.stats.metric.accuracy import accuracy
from trimtab.stats.metric.brier import brier, brier_rows
from trimtab.stats.metric.calibration_error import expected_calibration_error
from trimtab.stats.metric.catalog import METRICS
from trimtab.stats.metric.class_probability import class_probability
from trimtab.stats.metric.confusion import f1, precision, recall
from trimtab.stats.metric.log_loss import log_loss, log_loss_rows
from trimtab.stats.metric.roc_auc import binary_auc, roc_auc

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)

CLASSIFICATION = [metric for metric in METRICS.values() if metric.task == "classification"]


def rows_of(seed: int, classes: int, n: int = 400) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Truth and rounded (so tied) probabilities that know a little of it; every class occurs."""
    rng = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(classes), rng.integers(classes, size=n - classes)])
    weight = np.round(rng.exponential(size=(n, classes)) + 0.8 * np.eye(classes)[truth], 1) + 0.01
    return truth, weight / weight.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", range(4))
def test_two_classes_agree_with_scikit_learn(seed: int) -> None:
    """The same numbers on the same rows."""
    truth, prediction = rows_of(seed, 2)
    positive, called = prediction[:, 1], prediction.argmax(axis=1)
    assert log_loss(truth, prediction) == pytest.approx(sk.log_loss(truth, prediction))
    assert brier(truth, prediction) == pytest.approx(sk.brier_score_loss(truth, positive))
    assert roc_auc(truth, prediction) == pytest.approx(sk.roc_auc_score(truth, positive))
    assert accuracy(truth, prediction) == pytest.approx(sk.accuracy_score(truth, called))
    assert precision(truth, prediction) == pytest.approx(sk.precision_score(truth, called))
    assert recall(truth, prediction) == pytest.approx(sk.recall_score(truth, called))
    assert f1(truth, prediction) == pytest.approx(sk.f1_score(truth, called))


@pytest.mark.parametrize("seed", range(4))
def test_more_classes_agree_with_scikit_learn(seed: int) -> None:
    """Macro averages, one against the rest."""
    truth, prediction = rows_of(seed, 4)
    called = prediction.argmax(axis=1)
    assert log_loss(truth, prediction) == pytest.approx(sk.log_loss(truth, prediction))
    assert brier(truth, prediction) == pytest.approx(
        np.mean(((np.eye(4)[truth] - prediction) ** 2).sum(axis=1))
    )
    assert roc_auc(truth, prediction) == pytest.approx(
        sk.roc_auc_score(truth, prediction, multi_class="ovr", average="macro")
    )
    for ours, theirs in ((precision, sk.precision_score), (recall, sk.recall_score), (f1, sk.f1_score)):
        assert ours(truth, prediction) == pytest.approx(
            theirs(truth, called, average="macro", zero_division=0)
        )


def test_calibration_error_by_hand() -> None:
    """Two bins: 0.1 apart with 3 rows of 4, 0.5 apart with 1 of 4."""
    prediction = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.5, 0.5]])
    assert expected_calibration_error([0, 0, 0, 1], prediction) == pytest.approx(0.75 * 0.1 + 0.25 * 0.5)
    certain = np.eye(3)[[0, 1, 2]]
    assert expected_calibration_error([0, 1, 2], certain) == 0.0
    assert expected_calibration_error([1, 2, 0], certain) == 1.0


@LAW
@given(st.integers(0, 10**6), st.integers(2, 4))
def test_the_order_of_rows_does_not_matter(seed: int, classes: int) -> None:
    """No metric depends on the order of rows."""
    truth, prediction = rows_of(seed, classes, n=40)
    turned = np.random.default_rng(seed).permutation(40)
    for metric in CLASSIFICATION:
        assert metric.score(truth[turned], prediction[turned]) == pytest.approx(
            metric.score(truth, prediction), nan_ok=True
        )


@LAW
@given(st.integers(0, 10**6))
def test_auc_knows_only_ranks_and_turns_with_the_score(seed: int) -> None:
    """A monotone change of the score keeps it; the opposite score gives its complement."""
    rng = np.random.default_rng(seed)
    positive = np.array([True, False, *(rng.random(40) < 0.4)])
    score = rng.integers(20, size=42).astype(float)
    area = binary_auc(positive, score)
    assert binary_auc(positive, np.exp(score)) == pytest.approx(area)
    assert binary_auc(positive, -score) == pytest.approx(1 - area)
    assert binary_auc(~positive, score) == pytest.approx(1 - area)


@pytest.mark.parametrize("metric", CLASSIFICATION, ids=lambda metric: metric.name)
def test_no_rows_and_nan_probabilities_cannot_be_told(metric: object) -> None:
    """NaN, not an exception, and never a score that a NaN improves."""
    assert isinstance(metric, type(METRICS["f1"]))
    assert math.isnan(metric.score(np.array([], dtype=int), np.empty((0, 2))))
    truth, prediction = rows_of(0, 2, n=20)
    prediction[3] = np.nan
    assert math.isnan(metric.score(truth, prediction))
    assert np.isnan(metric.resample(truth, prediction, np.zeros(20, dtype=np.int64), np.ones((2, 1)))).all()


def test_one_class_alone() -> None:
    """What cannot be told is NaN; what can be is told."""
    sure_of_0 = np.array([[0.9, 0.1]] * 5)
    negative = np.zeros(5, dtype=int)
    assert math.isnan(roc_auc(negative, sure_of_0))
    assert math.isnan(f1(negative, sure_of_0))
    assert math.isnan(recall(negative, sure_of_0))
    assert math.isnan(precision(negative, sure_of_0))
    assert accuracy(negative, sure_of_0) == 1.0
    assert f1(negative, 1 - sure_of_0) == 0.0
    assert math.isnan(roc_auc(np.zeros(5, dtype=int), np.full((5, 3), 1 / 3)))


def test_a_class_the_model_never_saw_got_no_chance() -> None:
    """Its rows cost the most there is, in each metric."""
    two, three = np.array([[0.3, 0.7]]), np.array([[0.2, 0.3, 0.5]])
    assert log_loss([2], two) == pytest.approx(36.04, abs=0.01)
    assert brier([2], two) == 1.0
    assert brier_rows([3], three)[0] == pytest.approx(1 + 0.04 + 0.09 + 0.25)
    assert accuracy([3], three) == 0.0
    assert f1([3], three) == 0.0


def test_certain_and_wrong_is_finite() -> None:
    """A probability of 0 costs 36 nats."""
    assert log_loss_rows([1, 0], [[1.0, 0.0], [1.0, 0.0]]).tolist() == pytest.approx([36.04, 0.0], abs=0.01)


def test_wrong_shapes_say_what_to_pass() -> None:
    """Errors contain the fix."""
    with pytest.raises(ValueError, match="column_stack"):
        class_probability([0, 1], [0.2, 0.8])
    with pytest.raises(ValueError, match="encode the labels"):
        class_probability([0.5, 1.0], [[0.2, 0.8]] * 2)
    with pytest.raises(ValueError, match="rows differ"):
        class_probability([0, 1, 1], [[0.2, 0.8]] * 2)
