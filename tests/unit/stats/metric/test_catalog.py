"""What holds for every metric in the catalogue."""

import numpy as np
import pytest
from numpy.typing import NDArray

from trimtab.stats.metric.catalog import METRICS
from trimtab.stats.metric.metric import Metric

ALL = pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))


def rows_for(
    metric: Metric, classes: int = 2, n: int = 240
) -> tuple[NDArray[np.generic], NDArray[np.float64]]:
    """Rows of the metric's task."""
    rng = np.random.default_rng(3)
    if metric.task == "regression":
        truth = rng.normal(10, 2, size=n)
        return truth, truth + rng.normal(size=n)
    codes = rng.integers(classes, size=n)
    # Rounded, so scores tie; the last of four classes is so rare that replicates miss it.
    if classes > 2:
        codes = np.where(rng.random(n) < 0.03, 3, codes % 3)
    weight = np.round(rng.exponential(size=(n, classes)) + np.eye(classes)[codes], 1) + 0.01
    weight[:, 3:] /= 50
    return codes, weight / weight.sum(axis=1, keepdims=True)


@ALL
def test_the_name_is_the_key(metric: Metric) -> None:
    """One name for one thing."""
    assert METRICS[metric.name] is metric


@ALL
def test_rows_average_to_the_score(metric: Metric) -> None:
    """A metric with rows is their mean."""
    truth, prediction = rows_for(metric)
    if metric.rows is not None:
        rows = metric.rows(truth, prediction)
        assert rows.shape == (240,)
        assert rows.mean() == pytest.approx(metric.score(truth, prediction))


@ALL
@pytest.mark.parametrize("classes", [2, 4])
def test_a_replicate_is_the_score_of_the_rows_it_draws(metric: Metric, classes: int) -> None:
    """Per-block sums give what copying the rows of each block would: the bootstrap's one short cut."""
    truth, prediction = rows_for(metric, classes)
    codes = np.random.default_rng(1).integers(6, size=240)
    codes[truth == 3] = 0  # the rare class is in one block alone
    weights = np.random.default_rng(2).poisson(1.0, size=(5, 6)).astype(float)
    found = metric.resample(truth, prediction, codes, weights)
    for replicate, score in zip(weights, found, strict=True):
        drawn = np.repeat(np.arange(240), replicate.astype(int)[codes])
        assert score == pytest.approx(metric.score(truth[drawn], prediction[drawn]))


@ALL
def test_a_replicate_without_rows_cannot_be_told(metric: Metric) -> None:
    """All weights 0."""
    truth, prediction = rows_for(metric)
    assert np.isnan(metric.resample(truth, prediction, np.zeros(240, dtype=np.int64), np.zeros((1, 1))))[0]


@ALL
def test_better_predictions_score_better(metric: Metric) -> None:
    """`greater_is_better` points the right way."""
    truth, prediction = rows_for(metric)
    perfect = truth.astype(float) if metric.task == "regression" else np.eye(2)[truth.astype(int)]
    gain = metric.score(truth, perfect) - metric.score(truth, prediction)
    assert gain > 0 if metric.greater_is_better else gain < 0


def test_auc_by_groups_of_ranks_is_close_to_exact() -> None:
    """More than 2,048 distinct scores are ranked in groups; the error stays far below any gate's margin."""
    rng = np.random.default_rng(4)
    n, metric = 20_000, METRICS["roc_auc"]
    truth = rng.integers(2, size=n)
    score = 1 / (1 + np.exp(-(rng.normal(size=n) + truth)))
    prediction = np.column_stack([1 - score, score])
    codes = rng.integers(10, size=n)
    weights = rng.poisson(1.0, size=(4, 10)).astype(float)
    for replicate, area in zip(weights, metric.resample(truth, prediction, codes, weights), strict=True):
        drawn = np.repeat(np.arange(n), replicate.astype(int)[codes])
        assert area == pytest.approx(metric.score(truth[drawn], prediction[drawn]), abs=1e-5)
    whole = metric.resample(truth, prediction, codes, np.ones((1, 10)))[0]
    assert whole == pytest.approx(metric.score(truth, prediction), abs=1e-13)
