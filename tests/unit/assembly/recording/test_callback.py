"""What libraries say while they train is recorded; Lightning itself is tried by hand, here its calls are made."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost

import trimtab
from trimtab.assembly.recording.callback import metric_name, sayable
from trimtab.atoms.error import UsageError
from trimtab.atoms.run import RunStatus

X = np.random.default_rng(0).normal(size=(200, 3))
Y = (X[:, 0] > 0).astype(int)


def test_lightgbm_tells_its_parameters_and_every_iteration(quick: Any, book: Any) -> None:
    rows = lightgbm.Dataset(X, Y)
    given = {"objective": "binary", "metric": ["auc", "binary_logloss"], "verbosity": -1, "num_leaves": 5}
    told: dict[str, Any] = {}
    with quick() as run:
        kept = [trimtab.callback.lightgbm(), lightgbm.record_evaluation(told)]
        lightgbm.train(given, rows, 4, valid_sets=[rows], valid_names=["train"], callbacks=kept)
    assert book.run(run.id).parameters["num_leaves"] == "5"
    assert book.points(run.id, "train-auc") == list(enumerate(told["train"]["auc"]))
    assert len(book.points(run.id, "train-binary_logloss")) == 4


def test_lightgbm_tells_the_spread_over_folds(quick: Any, book: Any) -> None:
    given = {"objective": "binary", "metric": "auc", "verbosity": -1}
    with quick() as run:
        lightgbm.cv(given, lightgbm.Dataset(X, Y), 3, nfold=3, callbacks=[trimtab.callback.lightgbm(run)])
    names = set(book.run(run.id).metrics)
    assert len(names) == 2
    assert any(name.endswith("-stdv") for name in names)


def test_xgboost_tells_its_parameters_every_iteration_and_the_best_one(quick: Any, book: Any) -> None:
    told: dict[str, Any] = {}
    rows = xgboost.DMatrix(X, Y)
    other = xgboost.DMatrix(X, 1 - Y)  # gets worse from the first iteration on
    given = {"objective": "binary:logistic", "max_depth": 2, "eval_metric": "logloss"}
    with quick() as run:
        xgboost.train(
            given,
            rows,
            20,
            evals=[(rows, "train"), (other, "other")],
            evals_result=told,
            early_stopping_rounds=3,
            callbacks=[trimtab.callback.xgboost()],
            verbose_eval=False,
        )
    kept = book.run(run.id)
    assert kept.parameters["max_depth"] == "2"
    assert kept.parameters["objective"] == "binary:logistic"
    assert book.points(run.id, "train-logloss") == list(enumerate(told["train"]["logloss"]))
    assert len(told["train"]["logloss"]) < 20
    assert kept.metrics["best_iteration"].value == 0


def test_xgboost_folds_and_estimators_are_recorded(quick: Any, book: Any) -> None:
    with quick() as run:
        xgboost.cv(
            {"objective": "binary:logistic"}, xgboost.DMatrix(X, Y), 3, callbacks=[trimtab.callback.xgboost()]
        )
        xgboost.XGBClassifier(n_estimators=2, callbacks=[trimtab.callback.xgboost()]).fit(
            X, Y, eval_set=[(X, Y)], verbose=False
        )
    kept = book.run(run.id)
    assert {"test-logloss", "test-logloss-stdv", "validation_0-logloss"} <= set(kept.metrics)


def test_a_second_training_in_one_run_goes_on_without_its_parameters(
    quick: Any, book: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with quick() as run:
        for depth in (2, 3):
            lightgbm.train(
                {"verbosity": -1, "max_depth": depth},
                lightgbm.Dataset(X, Y),
                1,
                callbacks=[trimtab.callback.lightgbm()],
            )
    assert book.run(run.id).parameters["max_depth"] == "2"
    assert "give each training a run of its own" in caplog.text


def test_without_a_run_a_callback_says_what_to_do() -> None:
    rows = lightgbm.Dataset(X, Y)
    with pytest.raises(UsageError, match=r"with trimtab\.run"):
        lightgbm.train({"verbosity": -1}, rows, 1, callbacks=[trimtab.callback.lightgbm()])


class Checkpoint:
    """What Lightning hands over when it has saved one."""

    def __init__(self, path: Path) -> None:
        self.best_model_path = str(path)


def test_lightning_logs_to_the_open_run_and_leaves_it_open(quick: Any, book: Any, tmp_path: Path) -> None:
    (tmp_path / "best.ckpt").write_bytes(b"weights")
    with quick() as run:
        logger = trimtab.callback.lightning(checkpoints=True)
        assert logger.version == run.id
        logger.log_hyperparams(Namespace(width=8, optimizer={"lr": 0.1, "name": "adam"}, none=None))
        logger.log_metrics({"train_loss": np.float32(0.5), "epoch": 0}, step=3)
        logger.log_graph(object())
        logger.after_save_checkpoint(Checkpoint(tmp_path / "best.ckpt"))
        logger.save()
        logger.finalize("success")
        assert not run.ended
    kept = book.run(run.id)
    assert kept.parameters == {"width": "8", "optimizer/lr": "0.1", "optimizer/name": "adam"}
    assert book.points(run.id, "train_loss") == [(3, 0.5)]
    assert book.files(run.id) == {"checkpoints/best.ckpt": b"weights"}


def test_lightning_without_a_run_has_one_of_its_own_for_all_calls_of_its_trainer(book: Any) -> None:
    logger = trimtab.callback.lightning()
    logger.log_metrics({"loss": 1.0}, 1)
    logger.finalize("success")
    (kept,) = book.runs()
    assert kept.head.status is RunStatus.FINISHED
    logger.log_metrics({"test_loss": 2.0}, 2)
    logger.finalize("failed")
    (kept,) = book.runs()
    assert kept.head.status is RunStatus.FAILED
    assert kept.metrics.keys() >= {"loss", "test_loss"}


def test_only_the_first_of_several_processes_records(book: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    logger = trimtab.callback.lightning()
    assert logger.version == ""
    logger.log_hyperparams({"width": 8})
    logger.log_metrics({"loss": 1.0}, 1)
    logger.save()
    logger.finalize("success")
    assert book.runs() == []


def test_names_are_put_into_characters_that_may_be() -> None:
    assert metric_name("ndcg@5") == "ndcg_at_5"
    assert metric_name("/weird:[name]/") == "weird:_name_"
    assert metric_name("") == "_"
    assert sayable({"a": None, "b(c)": "x" * 7000}) == {"b_c_": "x" * 6000}
