"""A feature table and a way to train on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.adapters.estimator_file import write_estimator
from trimtab.atoms.content.model import Environment, Model
from trimtab.atoms.content.run_log import RunLog
from trimtab.engine.step import Done
from trimtab.loop.train import CARD
from trimtab.loop.train.train import train
from trimtab.spec.declaration import model, source
from trimtab.spec.model import ModelSpec
from trimtab.testing.workbench import Workbench

ENVIRONMENT = Environment(python="3.11", platform="test", packages={})
SOURCE = source("rows", "rows.csv", key="id", event_time="at")


def rows(count: int = 1200) -> pl.DataFrame:
    """Two features, one of them a category, and an outcome that they tell something of."""
    random = np.random.default_rng(5)
    wind, carrier = random.normal(size=count), random.choice(["AA", "UA", "DL"], count)
    score = wind + (carrier == "UA") + random.normal(size=count) * 0.7
    return pl.DataFrame(
        {
            "id": range(count),
            "at": [datetime(2013, 1, 1, tzinfo=UTC) + timedelta(hours=place) for place in range(count)],
            "wind": [None if place % 11 == 0 else value for place, value in enumerate(wind.tolist())],
            "carrier": carrier.tolist(),
            "late": (score > 0.5).tolist(),
            "delay": score * 10,
        }
    )


@dataclass
class Yard:
    """Trains models in an empty store each."""

    frame: pl.DataFrame = field(default_factory=rows)
    bench: Workbench = field(default_factory=Workbench)

    def spec(self, fit: Callable[[Any, Any], Any], target: str = "late", **words: Any) -> ModelSpec:
        return model("m", rows=SOURCE, target=target, **words)(fit)

    def train(self, spec: ModelSpec, *, trials: int = 1, **fixed: Any) -> Done:
        table = self.bench.table(
            "m", self.frame, ["wind", "carrier"], target=spec.target, key="id", event_time="at"
        )
        return self.bench.run(
            CARD,
            "train",
            lambda work: train(
                work,
                spec,
                table,
                files={"project": b"x = 1"},
                environment=ENVIRONMENT,
                fixed=fixed,
                trials=trials,
                write_estimator=write_estimator,
                code="c0de",
            ),
            [table],
        )

    def model(self, done: Done) -> Model:
        return self.bench.store.read(done.first("model").id, Model)

    def log(self, done: Done) -> RunLog:
        return self.bench.store.read(done.first("run-log").id, RunLog)


@pytest.fixture
def yard() -> Yard:
    return Yard()
