"""A champion, a challenger, and traffic that met both."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from trimtab.atoms.content.encoding import Encoding
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.content.window import Window
from trimtab.engine.step import Done
from trimtab.loop.release import CARD
from trimtab.loop.release.plan import Candidate
from trimtab.loop.release.policy import Policy
from trimtab.rows.served_row import SERVED_COLUMNS
from trimtab.rows.table import table_bytes
from trimtab.testing.storyteller import Storyteller
from trimtab.testing.workbench import Workbench

START = datetime(2013, 5, 1, tzinfo=UTC)
Rows = list[dict[str, Any]]


@dataclass
class Road:
    """The road of one release: plans, and windows of traffic."""

    policy: Policy = field(default_factory=Policy)
    classes: tuple[Any, ...] = (0, 1)

    def __post_init__(self) -> None:
        self.bench = Workbench()
        self.random = np.random.default_rng(3)
        nothing = Encoding(columns=())
        task = "classification" if self.classes else "regression"
        self.champion, self.challenger = (
            Candidate(
                self.bench.bundle("toy", f"{version}" * 64, nothing, task=task, classes=self.classes), version
            )
            for version in (1, 2)
        )
        self.alone = self.plan()
        self.shadow = self.plan(stage="shadow")
        self.canary = self.plan(stage="canary", share=0.25)
        self._minutes = 0

    def plan(self, **fields: Any) -> str:
        """A plan; with a stage it has the challenger."""
        if fields:
            fields |= {"challenger": self.challenger.bundle, "challenger_version": 2}
        return self.bench.keep(
            TrafficPlan(model="toy", champion=self.champion.bundle, champion_version=1, **fields)
        )

    def run(self, function: Callable[[Any], Any], kind: str = "judge") -> Done:
        """Run a function of release."""
        return self.bench.run(CARD, kind, function)

    def requests(self, count: int, role: str, **fields: Any) -> Rows:
        """Requests of one row; a field may be a function of the request's place."""
        bundle = self.champion if role == "champion" else self.challenger
        rows = []
        for place in range(count):
            chance = float(self.random.beta(2, 3))
            row = {
                "request_id": f"{self._minutes}-{role}-{place}",
                "row": 0,
                "bundle": bundle.bundle,
                "version": bundle.version,
                "role": role,
                "fell_back": False,
                "failed": False,
                "latency_ms": float(self.random.gamma(4.0, 0.5)),
                "event_time": START + timedelta(minutes=self._minutes, milliseconds=place),
                "truth": None,
            }
            row |= {"p0": 1 - chance, "p1": chance} if self.classes else {"value": chance}
            row |= {name: value(place) if callable(value) else value for name, value in fields.items()}
            if row["failed"]:
                row |= dict.fromkeys(("p0", "p1") if self.classes else ("value",))
            rows.append(row)
        return rows

    def window(self, *parts: Rows) -> str:
        """A window of traffic."""
        self._minutes += 1
        frame = pl.DataFrame([row for part in parts for row in part], schema_overrides=SERVED_COLUMNS)
        if not frame.height:
            frame = pl.DataFrame(schema=SERVED_COLUMNS)
        part = Storyteller(self.bench.store, START).part(table_bytes(frame))
        return self.bench.keep(
            Window(
                model="toy",
                span=f"minute {self._minutes}",
                first="",
                last="",
                rows=frame.height,
                outcomes=0,
                table=part,
                served=(),
            )
        )


@pytest.fixture
def road() -> Road:
    """Two classes."""
    return Road()


@pytest.fixture
def make_road() -> type[Road]:
    """Roads of other kinds."""
    return Road
