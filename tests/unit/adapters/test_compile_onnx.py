"""A compiled estimator answers as the trained one does, on missing values and on ties with its thresholds."""

import warnings
from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, RobustScaler, StandardScaler
from sklearn.svm import SVC

from trimtab.adapters.compile.tree_table import floor_float32
from trimtab.adapters.compile_onnx import compile_estimator
from trimtab.adapters.onnx_runtime import OnnxRuntime
from trimtab.atoms.error import ModelRefused

NAMES = ["carrier", "origin", "wind", "distance", "delay"]
ROWS = 500
Make = Callable[[], Any]


def sample(classes: int, *, missing: bool = True) -> tuple[pd.DataFrame, Any]:
    """Codes, numbers that repeat (and tie with thresholds), missing values; `classes` 0 is regression."""
    random = np.random.default_rng(7)
    x = np.column_stack(
        [
            random.integers(0, 6, ROWS),
            random.integers(0, 3, ROWS),
            np.round(random.normal(size=ROWS), 1),
            random.normal(size=ROWS) * 100,
            np.round(random.exponential(size=ROWS), 2),
        ]
    ).astype(np.float32)
    score = x[:, 2] + 0.01 * x[:, 3] + (x[:, 0] == 2) * 1.5 - x[:, 4] + random.normal(size=ROWS) * 0.3
    if missing:
        for column in (2, 3, 4):
            x[random.random(ROWS) < 0.1, column] = np.nan
    frame = pd.DataFrame(x, columns=NAMES)
    if not classes:
        return frame, score * 1000
    return frame, np.searchsorted(np.quantile(score, np.arange(1, classes) / classes), score)


def columns(**encoder: Any) -> ColumnTransformer:
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return ColumnTransformer(
        [
            ("numbers", numbers, NAMES[2:]),
            ("codes", OneHotEncoder(**{"handle_unknown": "ignore", **encoder}), NAMES[:2]),
        ]
    )


CLASSIFIERS: dict[str, Make] = {
    "logistic": lambda: make_pipeline(columns(), LogisticRegression(max_iter=300)),
    "one-hot drop": lambda: make_pipeline(columns(drop="first"), LogisticRegression(max_iter=300)),
    "one-hot rare": lambda: make_pipeline(
        columns(min_frequency=85, handle_unknown="infrequent_if_exist"), LogisticRegression(max_iter=300)
    ),
    "indicator": lambda: make_pipeline(SimpleImputer(add_indicator=True), LogisticRegression(max_iter=900)),
    "forest": lambda: RandomForestClassifier(8),
    "extra trees": lambda: ExtraTreesClassifier(8),
    "forest in pipeline": lambda: make_pipeline(columns(), RandomForestClassifier(8)),
    "histogram": lambda: HistGradientBoostingClassifier(max_iter=15),
    "scaled histogram": lambda: make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=15)),
    "robust histogram": lambda: make_pipeline(RobustScaler(), HistGradientBoostingClassifier(max_iter=15)),
    "lightgbm": lambda: lightgbm.LGBMClassifier(n_estimators=10, verbose=-1, n_jobs=1),
    "lightgbm in pipeline": lambda: make_pipeline(
        columns(), lightgbm.LGBMClassifier(n_estimators=10, verbose=-1, n_jobs=1)
    ),
    "xgboost": lambda: xgboost.XGBClassifier(n_estimators=10, n_jobs=1),
    "xgboost in pipeline": lambda: make_pipeline(columns(), xgboost.XGBClassifier(n_estimators=10, n_jobs=1)),
    "calibrated histogram": lambda: CalibratedClassifierCV(HistGradientBoostingClassifier(max_iter=8), cv=2),
    "calibrated lightgbm": lambda: CalibratedClassifierCV(
        lightgbm.LGBMClassifier(n_estimators=8, verbose=-1, n_jobs=1), cv=2
    ),
    "vote": lambda: VotingClassifier(
        [
            ("histogram", HistGradientBoostingClassifier(max_iter=5)),
            ("linear", make_pipeline(columns(), LogisticRegression(max_iter=300))),
            ("xgboost", xgboost.XGBClassifier(n_estimators=5, n_jobs=1)),
        ],
        voting="soft",
    ),
    "network": lambda: make_pipeline(columns(), MLPClassifier((6,), max_iter=60)),
    "support vectors": lambda: make_pipeline(columns(), CalibratedClassifierCV(SVC(), cv=2)),
    "columns by mask": lambda: make_pipeline(
        ColumnTransformer(
            [
                ("codes", OneHotEncoder(), slice(0, 2)),
                ("n", SimpleImputer(), [False, False, True, True, False]),
            ]
        ),
        LogisticRegression(max_iter=300),
    ),
}
REGRESSORS: dict[str, Make] = {
    "ridge": lambda: make_pipeline(columns(), Ridge()),
    "forest": lambda: RandomForestRegressor(8),
    "histogram": lambda: HistGradientBoostingRegressor(max_iter=15),
    "histogram of absolute errors": lambda: HistGradientBoostingRegressor(max_iter=15, loss="absolute_error"),
    "lightgbm": lambda: lightgbm.LGBMRegressor(n_estimators=10, verbose=-1, n_jobs=1),
    "xgboost": lambda: xgboost.XGBRegressor(n_estimators=10, n_jobs=1),
    "xgboost with base score": lambda: xgboost.XGBRegressor(n_estimators=10, n_jobs=1, base_score=40.0),
}


def fitted(make: Make, classes: int, *, missing: bool = True) -> tuple[Any, pd.DataFrame]:
    x, y = sample(classes, missing=missing)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make().fit(x, y), x


def probes(x: pd.DataFrame) -> np.ndarray:
    """The rows, and each of them moved by one float32 step either way."""
    rows = x.to_numpy(np.float32)[:200]
    up, down = np.float32(np.inf), np.float32(-np.inf)
    near = [np.column_stack([rows[:, :2], np.nextafter(rows[:, 2:], to)]) for to in (up, down)]
    return np.ascontiguousarray(np.vstack([rows, *near]))


def largest_difference(estimator: Any, rows: np.ndarray, task: str) -> float:
    graph = compile_estimator(estimator, len(NAMES), NAMES, task)
    answers = OnnxRuntime().load(graph, task).answer(rows)
    frame = pd.DataFrame(rows, columns=NAMES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = estimator.predict_proba(frame) if task == "classification" else estimator.predict(frame)
    assert answers.shape == wanted.shape
    scale = 1.0 if task == "classification" else np.abs(wanted).max()
    return float(np.abs(answers - wanted).max() / scale)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("family", CLASSIFIERS)
def test_classifiers_answer_as_they_were_trained(family: str, classes: int) -> None:
    estimator, x = fitted(CLASSIFIERS[family], classes)
    assert largest_difference(estimator, probes(x), "classification") < 2e-6


@pytest.mark.parametrize("family", REGRESSORS)
def test_regressors_answer_as_they_were_trained(family: str) -> None:
    estimator, x = fitted(REGRESSORS[family], 0)
    assert largest_difference(estimator, probes(x), "regression") < 2e-6


@pytest.mark.parametrize(
    "make",
    [
        lambda: lightgbm.LGBMRegressor(n_estimators=10, verbose=-1, n_jobs=1),
        lambda: HistGradientBoostingRegressor(max_iter=10),
        lambda: xgboost.XGBRegressor(n_estimators=10, n_jobs=1),
        lambda: RandomForestRegressor(5),
    ],
)
def test_values_missing_only_when_served_go_where_the_library_sends_them(make: Make) -> None:
    estimator, x = fitted(make, 0, missing=False)
    rows = x.to_numpy(np.float32).copy()
    rows[::3, 2:] = np.nan
    assert largest_difference(estimator, rows, "regression") < 2e-6


def test_early_stopping_serves_the_best_iteration() -> None:
    x, y = sample(2)
    estimator = xgboost.XGBClassifier(n_estimators=80, early_stopping_rounds=2, n_jobs=1)
    estimator.fit(x[:350], y[:350], eval_set=[(x[350:], y[350:])], verbose=False)
    assert estimator.best_iteration < 70
    assert largest_difference(estimator, probes(x), "classification") < 2e-6


def test_thresholds_are_moved_down_never_up() -> None:
    thresholds = np.array([0.1, -0.1, 1e-46, np.inf, 16777217.0])
    moved = floor_float32(thresholds)
    assert (moved.astype(np.float64) <= thresholds).all()
    assert (np.nextafter(moved, np.float32(np.inf)).astype(np.float64)[:-2] > thresholds[:-2]).all()


def test_rows_on_a_threshold_stay_on_their_side() -> None:
    # 0.3 in float64 lies below 0.3 in float32: rounding the threshold to float32 would move the row to the
    # left.
    x = pd.DataFrame({"a": np.repeat(np.float32([0.3, 0.1]), 50)})
    estimator = HistGradientBoostingRegressor(max_iter=1, min_samples_leaf=1).fit(
        x, np.repeat([1.0, 0.0], 50)
    )
    for predictor in estimator._predictors[0]:
        predictor.nodes["num_threshold"] = 0.3
    graph = compile_estimator(estimator, 1, ["a"], "regression")
    answer = OnnxRuntime().load(graph, "regression").answer(np.float32([[0.3]]))
    assert answer[0] == pytest.approx(estimator.predict(x[:1])[0], rel=1e-6)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (
            lambda: make_pipeline(FunctionTransformer(np.abs), SimpleImputer(), LogisticRegression()),
            "FunctionTransformer",
        ),
        (
            lambda: HistGradientBoostingClassifier(categorical_features=[0], max_iter=3),
            "categorical_features",
        ),
        (lambda: xgboost.XGBClassifier(n_estimators=3, booster="dart"), "dart"),
        (
            lambda: CalibratedClassifierCV(
                HistGradientBoostingClassifier(max_iter=3), cv=2, method="isotonic"
            ),
            "isotonic",
        ),
    ],
)
def test_what_has_no_exact_form_is_refused_by_name(make: Make, named: str) -> None:
    estimator, _ = fitted(make, 2)
    with pytest.raises(ModelRefused, match=named):
        compile_estimator(estimator, len(NAMES), NAMES, "classification")


def test_lightgbm_over_sets_of_categories_is_refused() -> None:
    x, _ = sample(2)
    words = {"max_cat_to_onehot": 1, "min_data_per_group": 1, "cat_smooth": 0.1}
    estimator = lightgbm.LGBMClassifier(n_estimators=8, verbose=-1, min_child_samples=2, n_jobs=1, **words)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(
            x[["carrier"]].astype("int32"), x["carrier"].isin([1, 4]), categorical_feature=["carrier"]
        )
    with pytest.raises(ModelRefused, match="categorical_feature"):
        compile_estimator(estimator, 1, ["carrier"], "classification")


@pytest.mark.parametrize("last", [LogisticRegression(max_iter=300), KNeighborsClassifier()])
def test_the_same_estimator_gives_the_same_bytes_whatever_was_compiled_before(last: Any) -> None:
    estimator, _ = fitted(lambda: make_pipeline(columns(), last), 2)
    first = compile_estimator(estimator, len(NAMES), NAMES, "classification")
    assert compile_estimator(estimator, len(NAMES), NAMES, "classification") == first


def test_the_estimator_itself_is_left_as_it_was() -> None:
    estimator, x = fitted(CLASSIFIERS["logistic"], 2)
    before = estimator.predict_proba(x)
    compile_estimator(estimator, len(NAMES), NAMES, "classification")
    assert estimator[0].transformers_[0][2] == NAMES[2:]
    assert np.array_equal(estimator.predict_proba(x), before)
