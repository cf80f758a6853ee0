"""A gate: thirty days of rows, the last ten held out, and models of any goodness."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.atoms.check import Check
from trimtab.atoms.content.model import Model
from trimtab.atoms.content.scorecard import Scorecard
from trimtab.atoms.instant import iso
from trimtab.loop.evaluate import CARD
from trimtab.loop.evaluate.evaluate import evaluate
from trimtab.loop.evaluate.gate_rows import Champion
from trimtab.loop.evaluate.policy import Policy
from trimtab.rows.encoding import learn_encoding
from trimtab.spec.model import ModelSpec
from trimtab.spec.source import Source
from trimtab.testing.workbench import Workbench

START = datetime(2013, 1, 1, tzinfo=UTC)
FEATURES = ("x", "z", "c")


@dataclass
class Gate:
    """Rows whose truth is known, and the gate that challengers come to."""

    classes: tuple[Any, ...] = (0, 1)
    rows_a_day: int = 300
    days: int = 40
    held_out: int = 20

    def __post_init__(self) -> None:
        self.bench, self.random = Workbench(), np.random.default_rng(11)
        self.task = "classification" if self.classes else "regression"
        n = self.rows_a_day * self.days
        moments = [START + timedelta(seconds=86400 * place / self.rows_a_day) for place in range(n)]
        x, z = self.random.normal(size=n), self.random.normal(size=n)
        category = self.random.choice(["a", "b", "d"], n, p=[0.6, 0.3, 0.1])
        self.rows = pl.DataFrame({"key": range(n), "at": moments, "x": x, "z": z, "c": category})
        encoded = np.column_stack([x, z]).astype(np.float32)
        self.rows = self.rows.with_columns(y=pl.Series(self._truth(self.perfect(encoded))))
        self.encoding = learn_encoding(self.rows, FEATURES)
        self.table = self.bench.table("toy", self.rows, FEATURES, key="key", event_time="at", slices=("c",))
        self.until = START + timedelta(days=self.days - self.held_out)
        self.model = self.trained(seed=1, until=self.until)

    def trained(self, seed: int, until: datetime) -> str:
        """A model that saw the rows before `until`."""
        return self.bench.model(
            "toy",
            self.rows,
            FEATURES,
            task=self.task,
            classes=self.classes,
            holdout_from=iso(until),
            seed=seed,
        )

    def perfect(self, rows: Any) -> Any:
        """What the rows were drawn from: x and z both count."""
        score = 1.2 * rows[:, 0] + 0.8 * rows[:, 1]
        if not self.classes:
            return score * 2 + 5
        scores = np.column_stack([place * score for place in range(len(self.classes))])
        odds = np.exp(scores - scores.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def worse(self, blur: float, seed: int = 0) -> Callable[[Any], Any]:
        """The perfect model with noise on its inputs."""

        def answer(rows: Any) -> Any:
            noise = np.random.default_rng(seed).normal(0, blur, (len(rows), 2))
            return self.perfect(rows[:, :2] + noise)

        return answer

    def champion(
        self, answer: Callable[[Any], Any], *, until: datetime | None = None, table: str | None = None
    ) -> Champion:
        """A champion; by default it saw no more than the challenger."""
        trained = self.trained(seed=2, until=until or self.until)
        bundle = self.bench.bundle("toy", trained, self.encoding, task=self.task, classes=self.classes)
        return Champion(bundle=bundle, encoding=self.encoding, table=table or self.table, answer=answer)

    def judge(
        self,
        challenger: Callable[[Any], Any],
        champion: Champion | None = None,
        *,
        metrics: Sequence[str] = (),
        slices: Sequence[str] = (),
        looks: int = 0,
        policy: Policy | None = None,
    ) -> tuple[Scorecard, list[Check]]:
        """The scorecard and the Checks of a challenger."""
        spec = ModelSpec(
            name="toy",
            rows=Source(name="rows", path="rows.csv"),
            target="y",
            fit=lambda train, trial: None,
            metrics=tuple(metrics),
            slices=tuple(slices),
        )
        done = self.bench.run(
            CARD,
            "evaluate",
            lambda work: evaluate(
                work,
                model_id=self.model,
                table_id=self.table,
                spec=spec,
                challenger=challenger,
                champion=champion,
                policy=policy or Policy(replicates=500),
                looks=looks,
            ),
        )
        assert self.bench.store.read(self.model, Model).name == "toy"
        return self.bench.store.read(done.first("scorecard").id, Scorecard), list(done.checks)

    def _truth(self, answers: Any) -> list[Any]:
        if not self.classes:
            return list(answers + self.random.normal(0, 1, len(answers)))
        draws = (self.random.random((len(answers), 1)) > answers.cumsum(axis=1)).sum(axis=1)
        return [self.classes[min(place, len(self.classes) - 1)] for place in draws]


@pytest.fixture(scope="session")
def gate() -> Gate:
    """Two classes, twenty held-out days."""
    return Gate()


@pytest.fixture(scope="session")
def make_gate() -> type[Gate]:
    """Gates of other kinds."""
    return Gate
