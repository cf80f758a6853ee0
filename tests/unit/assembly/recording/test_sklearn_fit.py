"""Fits of scikit-learn are recorded while the block runs, and as they were before it and after it."""

import hashlib
import json
import pickle
import threading
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import trimtab
from trimtab.atoms.run import PARENT_TAG, RunStatus

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, 0] > 0).astype(int)


def test_a_pipeline_is_one_fit_with_scores_parameters_and_estimator(quick: Any, book: Any) -> None:
    before = LogisticRegression.fit
    with quick() as run, trimtab.autolog_sklearn():
        fitted = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(X, Y)
    assert LogisticRegression.fit is before
    kept = book.run(run.id)
    assert kept.parameters["logisticregression__C"] == "0.5"
    assert kept.tags["estimator_name"] == "Pipeline"
    assert kept.metrics["training_accuracy_score"].value == fitted.score(X, Y)
    assert kept.metrics.keys() >= {
        "training_score",
        "training_f1_score",
        "training_log_loss",
        "training_roc_auc",
    }
    files = book.files(run.id)
    manifest = json.loads(files["model/manifest.json"])
    body = files["model/estimator.pkl"]
    assert manifest["sha256"] == hashlib.sha256(body).hexdigest()
    assert (manifest["servable"], manifest["class"]) == (False, "sklearn.pipeline.Pipeline")
    assert (pickle.loads(body).predict(X) == fitted.predict(X)).all()
    assert len(book.runs()) == 1


def test_a_search_is_one_fit_and_tells_its_candidates(quick: Any, book: Any) -> None:
    with quick() as run, trimtab.autolog_sklearn(estimators=False):
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(X, Y)
    kept = book.run(run.id)
    assert kept.parameters["best_C"] in ("0.1", "1.0")
    assert "best_cv_score" in kept.metrics
    files = book.files(run.id)
    assert set(files) == {"cv_results.csv"}
    assert len(files["cv_results.csv"].splitlines()) == 3
    assert len(book.runs()) == 1


def test_further_fits_are_children_and_one_without_a_run_has_its_own(quick: Any, book: Any) -> None:
    with trimtab.autolog_sklearn(estimators=False):
        with quick() as run:
            LogisticRegression(C=1.0).fit(X, Y)
            LogisticRegression(C=2.0).fit(X, Y)
        RandomForestRegressor(n_estimators=3, n_jobs=2).fit(X, X[:, 0])
    found = {each.head.id: each for each in book.runs()}
    assert len(found) == 3
    assert found.pop(run.id).parameters["C"] == "1.0"
    child = next(each for each in found.values() if each.tags.get(PARENT_TAG) == run.id)
    assert child.parameters["C"] == "2.0"
    (alone,) = (each for each in found.values() if each is not child)
    assert alone.tags["estimator_name"] == "RandomForestRegressor"
    assert alone.metrics.keys() >= {"training_r2_score", "training_mean_absolute_error"}


def test_threads_that_record_runs_of_their_own_do_not_mix(quick: Any, book: Any) -> None:
    barrier = threading.Barrier(3)
    ids: dict[float, str] = {}

    def work(c: float) -> None:
        with quick() as run:
            ids[c] = run.id
            barrier.wait(30)
            LogisticRegression(C=c).fit(X, Y)

    with trimtab.autolog_sklearn(estimators=False):
        threads = [threading.Thread(target=work, args=(c,)) for c in (1.0, 2.0, 3.0)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {c: book.run(run).parameters["C"] for c, run in ids.items()} == {c: str(c) for c in ids}


class Odd(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Fits, and can do nothing else."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails

    def fit(self, x: Any, y: Any) -> "Odd":
        """Remember what cannot be pickled."""
        if self.fails:
            raise ValueError("it fails")
        self.lock = threading.Lock()
        return self

    def predict(self, x: Any) -> Any:
        """It cannot."""
        raise RuntimeError("it does not predict")


def test_what_cannot_be_recorded_does_no_harm(
    quick: Any, book: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with quick() as run, trimtab.autolog_sklearn():
        assert Odd().fit(X, Y).lock
    assert book.run(run.id).head.status is RunStatus.FINISHED
    assert book.run(run.id).parameters == {"fails": "False"}
    assert caplog.text.count("was not recorded") == 2


def test_a_fit_that_fails_is_a_run_that_failed(book: Any) -> None:
    with trimtab.autolog_sklearn(), pytest.raises(ValueError, match="it fails"):
        Odd(fails=True).fit(X, Y)
    (kept,) = book.runs()
    assert (kept.head.status, kept.head.note) == (RunStatus.FAILED, "ValueError: it fails")
