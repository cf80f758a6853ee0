"""Features that give the target away."""

import math
from dataclasses import dataclass

import polars as pl

from trimtab.atoms.check import Verdict

#: Association from which a feature alone all but gives the target.
NEARLY_PERFECT = 0.999
#: Rows below which nothing is said.
FEWEST_ROWS = 20
#: Newest rows that are looked at, at most.
MOST_ROWS = 50_000
#: Distinct values up to which a target is taken as classes.
MOST_CLASSES = 50


@dataclass(frozen=True, slots=True)
class Leak:
    """A feature that knows too much."""

    feature: str
    #: |rank correlation| for numbers, max(AUC, 1 - AUC) for two classes, 1 for another name of the target.
    strength: float
    verdict: Verdict
    says: str


def find_leaks(frame: pl.DataFrame, features: list[str], target: str) -> list[Leak]:
    """Features that are the target under another name (FAIL), or all but predict it alone (UNSURE).

    UNSURE, as an easy problem looks the same; a one-to-one map to the target is no easy problem.
    """
    rows = frame.tail(MOST_ROWS)
    leaks = (
        _leak(rows.select(pl.col(name).alias("x"), pl.col(target).alias("y")), name) for name in features
    )
    return sorted((leak for leak in leaks if leak is not None), key=lambda leak: -leak.strength)


def _leak(pairs: pl.DataFrame, name: str) -> Leak | None:
    pairs = _without_nan(pairs).drop_nulls()
    values, targets = pairs["x"].n_unique(), pairs["y"].n_unique()
    if pairs.height < FEWEST_ROWS or targets < 2 or values < 2:
        return None
    if targets <= MOST_CLASSES and values == targets == pairs.n_unique():
        says = f"{name!r} is the target under another name: each value stands for one"
        return Leak(name, 1.0, Verdict.FAIL, says)
    if pairs["x"].dtype == pl.String:
        return None
    strength = _strength(pairs, targets)
    if targets > MOST_CLASSES and strength > 1 - 1e-9:
        says = f"{name!r} is the target under another name: it orders the rows alike"
        return Leak(name, strength, Verdict.FAIL, says)
    if strength > NEARLY_PERFECT:
        says = f"{name!r} alone all but gives the target ({strength:.4f}): is it known before the outcome?"
        return Leak(name, strength, Verdict.UNSURE, says)
    return None


def _strength(pairs: pl.DataFrame, targets: int) -> float:
    ranks = pairs.select(pl.col("x").cast(pl.Float64).rank())
    if targets == 2:
        positive = pairs["y"] == pairs["y"].max()
        count = int(positive.sum())
        others = pairs.height - count
        area = (float(ranks["x"].filter(positive).sum()) - count * (count + 1) / 2) / (count * others)
        return max(area, 1 - area)
    if not pairs["y"].dtype.is_numeric():
        return 0.0
    found = ranks.with_columns(pairs["y"].cast(pl.Float64).rank()).select(pl.corr("x", "y")).item()
    return abs(found) if found is not None and math.isfinite(found) else 0.0


def _without_nan(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.with_columns(pl.selectors.float().fill_nan(None))
