"""What champion and challenger did beside one another, request by request."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.content.bundle import Bundle, Manifest
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.content.window import Window
from trimtab.engine.work import Work
from trimtab.rows.served_row import answer_matrix, answer_summary
from trimtab.rows.table import read_table


@dataclass(frozen=True, slots=True)
class Side:
    """One bundle's requests of one batch, in order of time; a request's first row speaks for it."""

    #: Whether the bundle failed, shape (requests,).
    failed: NDArray[np.bool_]
    #: Of the requests that it did not fail, shape (answered,).
    latency_ms: NDArray[np.float64]
    #: One number an answer (see `answer_summary`), NaN where it is missing, shape (answered,).
    answers: NDArray[np.float64]

    @property
    def requests(self) -> int:
        """Requests that reached the bundle."""
        return int(self.failed.size)

    @property
    def errors(self) -> int:
        """Requests that it failed."""
        return int(self.failed.sum())


@dataclass(frozen=True, slots=True)
class Batch:
    """One window of traffic: the two sides met the same minutes."""

    challenger: Side
    champion: Side


def read_batches(work: Work, plan: TrafficPlan, windows: Sequence[str], role: str) -> list[Batch]:
    """The batches of a plan's windows, in order.

    Args:
        windows: Windows of traffic since the plan holds.
        role: `canary` or `shadow`: what the challenger does.
    """
    champion = work.read(plan.champion, Bundle).manifest
    challenger = work.read(plan.challenger, Bundle).manifest if plan.challenger else champion
    batches = []
    for window in windows:
        frame = read_table(work.part(work.read(window, Window).table)).sort("event_time", maintain_order=True)
        mine = frame.filter((pl.col("bundle") == plan.challenger) & (pl.col("role") == role))
        # A champion that stood in for a failed canary had its request chosen by the failure.
        theirs = frame.filter(
            (pl.col("bundle") == plan.champion) & (pl.col("role") == "champion") & ~pl.col("fell_back")
        )
        batches.append(Batch(_side(mine, challenger), _side(theirs, champion)))
    return batches


def pairs(work: Work, plan: TrafficPlan, windows: Sequence[str]) -> pl.DataFrame:
    """Rows that champion and shadow both answered, side by side (`_shadow` marks the second)."""
    parts = []
    for window in windows:
        frame = read_table(work.part(work.read(window, Window).table)).filter(~pl.col("failed"))
        named = [name for name in frame.columns if name == "value" or (name[0] == "p" and name[1:].isdigit())]
        columns = ["request_id", "row", *named]
        shadow = frame.filter((pl.col("bundle") == plan.challenger) & (pl.col("role") == "shadow"))
        champion = frame.filter((pl.col("bundle") == plan.champion) & (pl.col("role") == "champion"))
        kept = champion.select(*columns, "event_time", "truth")
        parts.append(kept.join(shadow.select(columns), on=["request_id", "row"], suffix="_shadow"))
    if not parts:
        return pl.DataFrame(schema={"request_id": pl.String(), "truth": pl.String()})
    return pl.concat(parts, how="diagonal_relaxed").sort("event_time", maintain_order=True)


def _side(frame: pl.DataFrame, manifest: Manifest) -> Side:
    first = frame.unique("request_id", keep="first", maintain_order=True)
    good = first.filter(~pl.col("failed"))
    return Side(
        failed=first.get_column("failed").to_numpy().astype(np.bool_),
        latency_ms=good.get_column("latency_ms").fill_null(0.0).to_numpy().astype(np.float64),
        answers=answer_summary(answer_matrix(good, len(manifest.classes))),
    )
