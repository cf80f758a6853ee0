"""Stored estimators: opened only where every type is known, the same bytes for the same estimator."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import trimtab
from trimtab.adapters.estimator_file import read_estimator, write_estimator
from trimtab.adapters.skops_file import canonical_skops
from trimtab.atoms.error import ModelRefused


def rows() -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(3)
    x = pd.DataFrame(random.normal(size=(200, 3)).astype(np.float32), columns=["a", "b", "c"])
    return x, (x["a"] + random.normal(size=200) > 0).to_numpy().astype(np.int64)


MAKERS = {
    "histogram": lambda: HistGradientBoostingClassifier(max_iter=5, random_state=0),
    "forest": lambda: RandomForestClassifier(4, random_state=0),
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "lightgbm": lambda: lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1),
    "xgboost": lambda: xgboost.XGBClassifier(n_estimators=5, n_jobs=1),
}


@pytest.mark.parametrize("family", MAKERS)
def test_what_is_read_answers_as_what_was_written(family: str) -> None:
    x, y = rows()
    estimator = MAKERS[family]().fit(x, y)
    again = read_estimator(write_estimator(estimator))
    assert np.array_equal(again.predict_proba(x), estimator.predict_proba(x))


@pytest.mark.parametrize("family", MAKERS)
def test_equal_fits_give_equal_bytes(family: str) -> None:
    x, y = rows()
    held = [write_estimator(MAKERS[family]().fit(x, y)) for _ in range(2)]
    assert held[0] == held[1]


def test_a_search_is_stored_without_its_durations() -> None:
    x, y = rows()

    def searched() -> bytes:
        search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2)
        return write_estimator(search.fit(x, y))

    assert searched() == searched()


_PROGRAM = """
import hashlib, numpy as np, sys
from sklearn.ensemble import HistGradientBoostingClassifier
from trimtab.adapters.estimator_file import write_estimator
x = np.arange(300, dtype=np.float32).reshape(100, 3)
e = HistGradientBoostingClassifier(max_iter=3, random_state=0).fit(x, np.arange(100) % 2)
e.note_ = {"late", "early", "never", "cancelled", "diverted", "on time"}
told = hashlib.sha256(write_estimator(e)).hexdigest()
"""


def test_another_process_writes_the_same_bytes() -> None:
    here: dict[str, Any] = {}
    exec(_PROGRAM, here)
    environment = {**os.environ, "PYTHONPATH": str(Path(trimtab.__file__).parents[1]), "PYTHONHASHSEED": "1"}
    there = subprocess.run(
        [sys.executable, "-c", f"{_PROGRAM}\nprint(told)"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == here["told"]


class Homemade:
    """An estimator of a type that nobody put on the list."""

    def __init__(self) -> None:
        self.level = 0.5

    def predict(self, x: Any) -> np.ndarray:
        return np.full(len(x), self.level)


def test_an_unknown_type_is_refused_by_name_and_may_be_allowed() -> None:
    name = f"{Homemade.__module__}.Homemade"
    with pytest.raises(ModelRefused, match=r"Homemade.*trusted_types"):
        write_estimator(Homemade())
    content = write_estimator(Homemade(), [name])
    with pytest.raises(ModelRefused, match="Homemade"):
        read_estimator(content)


def test_an_unknown_type_deep_inside_is_refused() -> None:
    x, y = rows()
    estimator = LogisticRegression().fit(x, y)
    estimator.extra_ = [Counter("abc")]
    with pytest.raises(ModelRefused, match="Counter"):
        write_estimator(estimator)


def test_functions_of_sklearn_that_are_no_estimators_are_refused() -> None:
    from sklearn.datasets import load_files
    from sklearn.preprocessing import FunctionTransformer

    with pytest.raises(ModelRefused, match="load_files"):
        write_estimator(FunctionTransformer(load_files))


@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95pickle", b"PK\x03\x04broken zip", b"{}"])
def test_what_is_no_stored_estimator_is_refused(content: bytes) -> None:
    with pytest.raises(ModelRefused, match="no stored estimator"):
        read_estimator(content)


def test_canonical_bytes_stay_as_they_are() -> None:
    x, y = rows()
    content = write_estimator(LogisticRegression().fit(x, y))
    assert canonical_skops(content) == content
