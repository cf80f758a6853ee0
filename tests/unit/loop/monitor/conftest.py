"""A small world to watch: rows by day, a model that knows the truth, and a log of its answers."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.atoms.check import Check
from trimtab.engine.step import Done
from trimtab.loop.monitor import CARD
from trimtab.loop.monitor.judge_drift import judge_drift
from trimtab.loop.monitor.judge_quality import PastWindow, Shelf, judge_quality
from trimtab.loop.monitor.policy import Policy
from trimtab.loop.monitor.reference import build_reference
from trimtab.loop.monitor.seal import seal
from trimtab.rows.encoding import learn_encoding
from trimtab.testing.workbench import Workbench

START = datetime(2013, 1, 1, tzinfo=UTC)
FEATURES = ("x", "m", "c", "flag")
Change = Callable[[pl.DataFrame], pl.DataFrame]


def unchanged(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as they are."""
    return rows


@dataclass
class World:
    """Days of rows from a fixed seed, a bundle trained on the first ones, windows of the later ones."""

    classes: tuple[Any, ...] = (0, 1)
    rows_a_day: int = 150
    training_days: int = 60

    def __post_init__(self) -> None:
        self.bench = Workbench()
        self.random = np.random.default_rng(7)
        self.shelf: Shelf = {}
        self.task = "classification" if self.classes else "regression"
        self.policy = Policy()
        training = pl.concat([self.day(number) for number in range(self.training_days)])
        table = self.bench.table("toy", training, FEATURES, event_time="at")
        encoding = learn_encoding(training, FEATURES)
        trained = self.bench.model("toy", training, FEATURES, task=self.task, classes=self.classes)
        held_out = training.tail(20 * self.rows_a_day)
        answers = self.answers(held_out)
        self.bundle = self.bench.bundle(
            "toy",
            trained,
            encoding,
            task=self.task,
            classes=self.classes,
            event_time="at",
            held_out=answers.with_columns(
                truth=held_out.get_column("y"), event_time=held_out.get_column("at")
            ),
        )
        built = self.run(
            lambda work: build_reference(work, bundle_id=self.bundle, table_id=table, every=timedelta(days=1))
        )
        self.reference = built.first("reference").id

    def day(self, number: int) -> pl.DataFrame:
        """Rows of one day: ordinary noise from day to day, and other values on weekends."""
        n, moment = self.rows_a_day, START + timedelta(days=number)
        weekend = 0.5 if moment.weekday() >= 5 else 0.0
        x = self.random.normal(weekend + self.random.normal(0, 0.05), 1.0, n)
        m = np.where(self.random.random(n) < 0.02, None, self.random.gamma(2.0, size=n))
        c = self.random.choice(["a", "b", "d", "e"], n, p=[0.5, 0.3, 0.15, 0.05])
        flag = self.random.random(n) < 0.3
        times = [moment + timedelta(seconds=86400 * place / n) for place in range(n)]
        rows = pl.DataFrame({"at": times, "x": x, "m": m.tolist(), "c": c, "flag": flag})
        return rows.with_columns(y=pl.Series(self.truth(rows)))

    def answers(self, rows: pl.DataFrame) -> pl.DataFrame:
        """What the perfect model answers."""
        x = rows.get_column("x").to_numpy()
        if not self.classes:
            return pl.DataFrame({"value": 3 * x + 10})
        scores = np.column_stack([place * x * 0.8 for place in range(len(self.classes))])
        odds = np.exp(scores)
        chances = odds / odds.sum(axis=1, keepdims=True)
        return pl.DataFrame({f"p{place}": chances[:, place] for place in range(len(self.classes))})

    def truth(self, rows: pl.DataFrame) -> list[Any]:
        """Outcomes drawn as the perfect model says."""
        answers = self.answers(rows).to_numpy()
        if not self.classes:
            return list(answers[:, 0] + self.random.normal(0, 1, rows.height))
        draws = (self.random.random((rows.height, 1)) > answers.cumsum(axis=1)).sum(axis=1)
        return [self.classes[min(place, len(self.classes) - 1)] for place in draws]

    def log(
        self, number: int, change: Change = unchanged, answer: Change = unchanged, **fields: Any
    ) -> tuple[list[bytes], list[bytes]]:
        """Log and outcomes of one day; `change` alters the rows, `answer` what the model said of them."""
        rows = change(self.day(number))
        answers = answer(self.answers(rows))
        records, outcomes = [], []
        for place, (row, said) in enumerate(
            zip(rows.iter_rows(named=True), answers.iter_rows(), strict=True)
        ):
            name = f"{number}-{place}"
            at = row["at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            record = {
                "id": name,
                "at": at,
                "bundle": self.bundle,
                "version": 1,
                "role": "champion",
                "inputs": {"at": [at]},
                "features": {feature: [row[feature]] for feature in FEATURES},
                "answers": [list(said) if self.classes else said[0]],
                "error": None,
                "latency_ms": 1.0,
                "fell_back": False,
            }
            records.append(json.dumps(record | fields).encode())
            outcomes.append(json.dumps({"id": name, "row": 0, "truth": row["y"], "at": at}).encode())
        return records, outcomes

    def window(self, number: int, records: Sequence[bytes], outcomes: Sequence[bytes] = ()) -> str:
        """A sealed window of one day."""
        first = START + timedelta(days=number)
        done = self.run(
            lambda work: seal(
                work,
                model="toy",
                records=records,
                outcomes=outcomes,
                first=first,
                last=first + timedelta(days=1),
                span=f"{first:%Y-%m-%d}",
                key=None,
                event_time="at",
            )
        )
        return done.first("window").id

    def windows(self, count: int, change: Change = unchanged, answer: Change = unchanged) -> list[str]:
        """Sealed windows of the days after training."""
        first = self.training_days
        return [
            self.window(number, *self.log(number, change, answer)) for number in range(first, first + count)
        ]

    def drift(self, window: str, past: Sequence[str] = ()) -> Done:
        """Judge a window's drift."""
        return self.run(
            lambda work: judge_drift(
                work,
                window_id=window,
                bundle_id=self.bundle,
                reference_id=self.reference,
                past=past,
                policy=self.policy,
            )
        )

    def quality(self, window: str, past: Sequence[str] = ()) -> dict[str, Check]:
        """Judge a window's loss and bias."""
        done = self.run(
            lambda work: judge_quality(
                work,
                window_id=window,
                bundle_id=self.bundle,
                past=[PastWindow(one) for one in past],
                metrics=(),
                policy=self.policy,
                shelf=self.shelf,
            )
        )
        return {check.name: check for check in done.checks}

    def run(self, function: Callable[[Any], Any]) -> Done:
        """Run a monitor's function as a step."""
        return self.bench.run(CARD, "monitor", function)


@pytest.fixture
def world() -> World:
    """Two classes."""
    return World()


@pytest.fixture
def make_world() -> type[World]:
    """Worlds of other kinds."""
    return World
