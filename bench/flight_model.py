"""One model for all servers under test: boosted trees with preprocessing, on rows like the flights'."""

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

MODEL = "late_arrival"
NUMBERS = ["hour", "distance", "wind_speed", "visib", "precip"]
CATEGORIES = ["carrier", "origin", "dest"]
ROWS = 20_000


def made_up_rows(seed: int = 0) -> pl.DataFrame:
    """Rows with the columns, ranges and cardinalities of the flights, and a target that depends on them."""
    random = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "hour": random.integers(5, 24, ROWS).astype(np.float64),
            "distance": random.gamma(3, 350, ROWS).round(),
            "wind_speed": random.gamma(3, 3.5, ROWS).round(2),
            "visib": np.minimum(10, random.gamma(20, 0.6, ROWS)).round(1),
            "precip": random.choice([0.0, 0.01, 0.1], ROWS, p=[0.9, 0.07, 0.03]),
            "carrier": random.choice([f"C{number:02}" for number in range(16)], ROWS),
            "origin": random.choice(["EWR", "JFK", "LGA"], ROWS),
            "dest": random.choice([f"D{number:03}" for number in range(100)], ROWS),
        }
    )
    level = (
        frame["hour"].to_numpy() * 0.12
        + frame["wind_speed"].to_numpy() * 0.05
        - frame["visib"].to_numpy() * 0.2
    )
    return frame.with_columns(late=random.random(ROWS) < 1 / (1 + np.exp(1.2 - level)))


def estimator() -> Pipeline:
    """Imputed and scaled numbers, one-hot categories, 100 trees."""
    prepare = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
            ("categories", OneHotEncoder(handle_unknown="ignore", min_frequency=5), CATEGORIES),
        ]
    )
    return make_pipeline(prepare, GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=0))


def write_pickle(folder: Path) -> Path:
    """The model as a hand-written server would load it: fitted on the frame itself, strings and all."""
    frame = made_up_rows()
    x = pd.DataFrame({name: frame[name].to_list() for name in (*NUMBERS, *CATEGORIES)})
    path = folder / "model.joblib"
    joblib.dump(estimator().fit(x, frame["late"].to_numpy()), path)
    return path


def request_body() -> bytes:
    """One row, as every server takes it."""
    row: dict[str, Any] = made_up_rows().drop("late").row(0, named=True)
    return json.dumps({"rows": [row]}).encode()
