"""Training: what is learnt from, what is recorded, and what goes wrong in a user's function."""

import random
import warnings
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from trimtab.adapters.estimator_file import read_estimator
from trimtab.atoms.check import Verdict
from trimtab.atoms.error import UsageError
from trimtab.rows.encoding import encode
from trimtab.rows.holdout import model_holdout
from trimtab.spec.dataset import Dataset, Trial

Fit = Any


def histogram(train: Dataset, trial: Trial) -> Any:
    return HistGradientBoostingClassifier(max_iter=trial.integer("rounds", 2, 20, default=5)).fit(
        train.x, train.y
    )


def boosted(train: Dataset, trial: Trial) -> Any:
    return lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1, subsample=0.5).fit(train.x, train.y)


def linear(train: Dataset, trial: Trial) -> Any:
    return make_pipeline(SimpleImputer(), LogisticRegression()).fit(train.x, train.y)


def chancy(train: Dataset, trial: Trial) -> Any:
    depth = random.randint(2, 6) + int(np.random.default_rng(np.random.randint(99)).integers(3))
    return RandomForestClassifier(4, max_depth=depth).fit(train.x.fillna(0), train.y)


def test_it_learns_from_the_older_rows_only(yard: Any) -> None:
    seen: dict[str, Dataset] = {}

    def fit(train: Dataset, trial: Trial) -> Any:
        seen["data"] = train
        return histogram(train, trial)

    made = yard.model(yard.train(yard.spec(fit)))
    data = seen["data"]
    held = model_holdout(yard.frame, made)
    assert isinstance(data.x, pd.DataFrame)
    assert (data.x.dtypes == np.float32).all()
    assert data.names == ("wind", "carrier")
    assert (data.categories, data.numbers, data.classes) == (("carrier",), ("wind",), (False, True))
    assert data.rows["at"].max() < held["at"].min()
    assert (made.rows_train, made.rows_holdout) == (data.rows.height, held.height)
    assert data.rows.height + held.height == yard.frame.height
    assert data.y.tolist() == data.rows["late"].cast(pl.Int64).to_list()
    assert np.array_equal(data.x.to_numpy(), encode(data.rows, made.encoding), equal_nan=True)


def test_history_leaves_old_rows_out(yard: Any) -> None:
    made = yard.model(yard.train(yard.spec(histogram, history="20d")))
    assert made.rows_train == 24 * 20 + 1 - made.rows_holdout


def test_the_model_can_be_read_and_answers(yard: Any) -> None:
    made = yard.model(yard.train(yard.spec(histogram)))
    estimator = read_estimator(yard.bench.store.part(made.estimator))
    names = [column.name for column in made.encoding.columns]
    x = pd.DataFrame(encode(yard.frame, made.encoding), columns=names)
    assert estimator.predict_proba(x).shape == (yard.frame.height, 2)
    assert (made.parameters, made.seed, made.code, made.target) == ({"rounds": 5}, 0, "c0de", "late")
    assert yard.bench.store.part(made.files[0].text) == b"x = 1"


@pytest.mark.parametrize("fit", [histogram, boosted, linear, chancy], ids=lambda fit: fit.__name__)
def test_the_same_rows_and_seed_give_the_same_model(yard: Any, fit: Fit) -> None:
    first, again = (yard.train(yard.spec(fit)).first("model").id for _ in range(2))
    assert first == again


def test_another_seed_gives_another_model(yard: Any) -> None:
    first, other = (yard.train(yard.spec(chancy, seed=seed)).first("model").id for seed in (1, 2))
    assert first != other


def test_regression(yard: Any) -> None:
    def fit(train: Dataset, trial: Trial) -> Any:
        assert train.classes == ()
        return HistGradientBoostingRegressor(max_iter=5).fit(train.x, train.y)

    made = yard.model(yard.train(yard.spec(fit, target="delay")))
    assert (made.task, made.classes) == ("regression", ())


def test_rows_without_an_outcome_are_passed_over(yard: Any) -> None:
    yard.frame = yard.frame.with_columns(late=pl.when(pl.col("id") % 5 > 0).then("late"))
    made = yard.model(yard.train(yard.spec(histogram)))
    assert made.rows_train + made.rows_holdout == yard.frame["late"].count()


def test_a_search_finds_the_better_setting_and_records_all(yard: Any) -> None:
    def fit(train: Dataset, trial: Trial) -> Any:
        strength = trial.number("strength", 1e-6, 1.0, default=1e-6, log=True)
        return make_pipeline(SimpleImputer(), LogisticRegression(C=strength)).fit(train.x, train.y)

    done = yard.train(yard.spec(fit), trials=6)
    log = yard.log(done)
    losses = [value for name, _, value in log.points if name == "log_loss"]
    assert len(losses) == len(log.parameters["trials"]) == 6
    best = log.parameters["trials"][int(np.argmin(losses))]
    assert yard.model(done).parameters == best
    assert min(losses) < losses[0] - 0.05
    assert yard.train(yard.spec(fit), trials=6).first("model").id == done.first("model").id


def test_a_search_passes_over_settings_that_fail(yard: Any) -> None:
    def fit(train: Dataset, trial: Trial) -> Any:
        if trial.choice("way", ["good", "bad"], default="good") == "bad":
            raise ValueError("no such way")
        return linear(train, trial)

    done = yard.train(yard.spec(fit), trials=8)
    assert {trial["way"] for trial in yard.log(done).parameters["trials"]} == {"good", "bad"}
    assert yard.model(done).parameters == {"way": "good"}


def test_parameters_set_from_outside_are_used(yard: Any) -> None:
    assert yard.model(yard.train(yard.spec(histogram), rounds=3)).parameters == {"rounds": 3}


def test_warnings_of_a_library_do_not_stop_it(yard: Any) -> None:
    def fit(train: Dataset, trial: Trial) -> Any:
        warnings.warn("you should upgrade", stacklevel=1)
        return histogram(train, trial)

    yard.train(yard.spec(fit))


def test_an_error_is_told_with_file_line_and_words(yard: Any) -> None:
    def fit(train: Dataset, trial: Trial) -> Any:
        return train.x["win"]

    with pytest.raises(UsageError) as told:
        yard.train(yard.spec(fit))
    line = Path(__file__).read_text().split("\n").index('        return train.x["win"]') + 1
    assert f"test_train.py:{line}: KeyError: 'win'" in str(told.value)
    assert "\n" not in str(told.value)


def test_an_error_inside_a_library_is_told_at_the_projects_own_line(yard: Any) -> None:
    def fit(train: Dataset, trial: Trial) -> Any:
        return LogisticRegression().fit(train.x, train.y)  # missing values

    with pytest.raises(UsageError, match=r"test_train\.py:\d+: ValueError: Input X contains NaN"):
        yard.train(yard.spec(fit))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda train: None, "returned nothing, which has no predict"),
        (lambda train: object(), "a object, which has no predict"),
        (lambda train: HistGradientBoostingRegressor(max_iter=2).fit(train.x, train.y), "no predict_proba"),
        (
            lambda train: HistGradientBoostingClassifier(max_iter=2).fit(
                train.x, np.where(train.y, "y", "n")
            ),
            r"classes \['n', 'y'\]: fit it on train.y",
        ),
    ],
)
def test_what_cannot_be_served_is_told(yard: Any, made: Any, said: str) -> None:
    def fit(train: Dataset, trial: Trial) -> Any:
        return made(train)

    with pytest.raises(UsageError, match=said):
        yard.train(yard.spec(fit))


def test_an_estimator_that_cannot_answer_held_out_rows_is_told(yard: Any) -> None:
    def fit(train: Dataset, trial: Trial) -> Any:
        return LogisticRegression().fit(train.x.fillna(0), train.y)

    with pytest.raises(UsageError, match="NaN"):
        yard.train(yard.spec(fit))


def test_one_class_is_told(yard: Any) -> None:
    yard.frame = yard.frame.with_columns(late=pl.lit(True))
    with pytest.raises(UsageError, match="one class"):
        yard.train(yard.spec(histogram))


def test_one_class_among_the_training_rows_is_told(yard: Any) -> None:
    yard.frame = yard.frame.with_columns(late=pl.col("id") > 1150)
    with pytest.raises(UsageError, match="one class"):
        yard.train(yard.spec(histogram))


def test_the_checks_pass_on_an_ordinary_table(yard: Any) -> None:
    done = yard.train(yard.spec(histogram))
    assert {check.name: check.verdict for check in done.checks} == {
        "train.enough_rows": Verdict.PASS,
        "train.finite": Verdict.PASS,
    }


def test_few_rows_fail_the_check(yard: Any) -> None:
    yard.frame = yard.frame.head(40)
    done = yard.train(yard.spec(linear))
    assert [check.verdict for check in done.checks if check.name == "train.enough_rows"] == [Verdict.FAIL]


def test_answers_that_are_not_finite_fail_the_check(yard: Any) -> None:
    def fit(train: Dataset, trial: Trial) -> Any:
        pipeline = linear(train, trial)
        pipeline[-1].coef_ = pipeline[-1].coef_ * np.inf
        return pipeline

    checks = {check.name: check for check in yard.train(yard.spec(fit)).checks}
    assert checks["train.finite"].verdict is Verdict.FAIL
    assert checks["train.finite"].reading.value
