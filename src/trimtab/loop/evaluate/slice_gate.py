"""Slices: whether a challenger that is fine on the whole fails some part of the rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.scorecard import Comparison, Score
from trimtab.atoms.error import UsageError
from trimtab.engine.work import Work
from trimtab.loop.evaluate.gate_rows import GateRows
from trimtab.loop.evaluate.policy import Policy
from trimtab.stats.array import FloatArray
from trimtab.stats.block_bootstrap import mean_interval
from trimtab.stats.gate import labels_needed
from trimtab.stats.metric.catalog import METRICS
from trimtab.stats.metric.metric import Metric
from trimtab.stats.slice_score import SliceScore, compare_slices

_SEED = 7
_REPLICATES = 500
MISSING = "(missing)"


@dataclass(frozen=True, slots=True)
class SliceGate:
    """The slices of all declared columns, judged together."""

    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]
    #: How much worse a slice may be, in the metric's unit.
    margin: float


def slice_gate(
    rows: GateRows,
    rival: tuple[NDArray[np.float64], NDArray[np.bool_]],
    against: str,
    columns: Sequence[str],
    metric: Metric,
    policy: Policy,
) -> SliceGate:
    """Compare challenger and rival on each value of each slice column.

    Args:
        rival: Its answers, and the held-out rows that they are to.
        against: What the rival is called in the scorecard.
        columns: The declared slice columns.
        metric: What decides on the whole; slices use its loss a row, else the task's usual one.
    """
    answers, fair = rival
    per_row = _per_row(metric)
    if not columns or per_row.rows is None:
        return SliceGate((), (), 0.0)
    truth, days, frame = rows.truth[fair], rows.blocks[fair], rows.frame.filter(fair)
    ours, theirs = per_row.rows(truth, rows.answers[fair]), per_row.rows(truth, answers)
    margin = _margin(per_row, theirs, policy.slice_margin)
    scores: list[Score] = []
    comparisons: list[Comparison] = []
    for column in columns:
        if column not in frame.columns:
            raise UsageError(
                f"slices=: the feature table has no column {column!r}; declare a column of its rows"
            )
        labels = _labels(frame.get_column(column), policy.slice_values)
        found = compare_slices(
            (ours - theirs) * (1.0 if per_row.greater_is_better else -1.0),
            labels,
            days,
            margin,
            policy.slice_rows,
            _REPLICATES,
            seed=_SEED,
            alpha=policy.alpha / len(columns),
        )
        for one in found:
            if one.value != "":
                part = labels == one.value
                where = f"{column}={one.value}"
                scores.append(_score(ours[part], days[part], per_row.name, where))
                needed = labels_needed(one.improvement, margin, policy.min_blocks) or None
                comparisons.append(_comparison(one, against, per_row.name, where, needed))
    return SliceGate(tuple(scores), tuple(comparisons), margin)


def judge_slices(
    work: Work, model_id: str, champion: str | None, rules: Artifact, card: Artifact, gate: SliceGate
) -> None:
    """One Check for all slices, and one for each that is worse; none where no slice is declared."""
    if not gate.comparisons:
        return
    worse = [one for one in gate.comparisons if one.verdict == "worse"]
    judged = [one for one in gate.comparisons if one.verdict != "cannot-tell"]
    against = gate.comparisons[0].against
    if worse:
        verdict = Verdict.FAIL
        says = f"{len(worse)} of {len(gate.comparisons)} slices are worse than the {against}: " + ", ".join(
            one.where for one in worse[:5]
        )
    elif judged:
        verdict = Verdict.PASS
        says = (
            f"none of {len(gate.comparisons)} slices is worse than the {against} by more than "
            f"{gate.margin:.3g}; {len(gate.comparisons) - len(judged)} are too small or too noisy to tell"
        )
    else:
        verdict, says = (
            Verdict.UNSURE,
            f"none of {len(gate.comparisons)} slices has enough rows and days to tell",
        )
    for one, words in [(None, says), *((each, _sentence(each)) for each in worse)]:
        work.judge(
            "quality.slice",
            rules,
            model_id,
            baseline=champion if against == "champion" else None,
            about=one.where if one else "",
            reading=Reading(
                value=one.difference if one else float(len(worse)),
                unit=f"{one.metric} gained" if one else "slices",
                low=one.low if one else None,
                high=one.high if one else None,
                n=one.n if one else sum(each.n for each in gate.comparisons),
            ),
            limit=Limit(at_least=-gate.margin) if one else Limit(at_most=0),
            verdict=Verdict.FAIL if one else verdict,
            says=words,
            evidence=card,
        )


def _score(losses: FloatArray, days: NDArray[Any], metric: str, where: str) -> Score:
    found = mean_interval(losses, days, _REPLICATES, seed=_SEED)
    return Score(
        who="challenger",
        metric=metric,
        value=_number(found.value),
        low=_number(found.low),
        high=_number(found.high),
        n=found.n,
        where=where,
    )


def _comparison(one: SliceScore, against: str, metric: str, where: str, needed: int | None) -> Comparison:
    return Comparison(
        against=against,
        metric=metric,
        difference=_number(one.improvement.value),
        low=_number(one.improvement.low),
        high=_number(one.improvement.high),
        n=one.improvement.n,
        blocks=one.improvement.blocks,
        verdict=one.verdict,
        labels_needed=needed if one.verdict == "cannot-tell" else None,
        where=where,
    )


def _margin(metric: Metric, theirs: FloatArray, share: float) -> float:
    """A share of the rival's mean loss, or of what its mean score lacks to 1."""
    mean = float(np.mean(theirs)) if theirs.size else 0.0
    lacking = abs(1.0 - mean) if metric.greater_is_better else abs(mean)
    return share * lacking if math.isfinite(lacking) else 0.0


def _per_row(metric: Metric) -> Metric:
    if metric.rows is not None:
        return metric
    return METRICS["log_loss" if metric.task == "classification" else "mae"]


def _labels(column: pl.Series, most: int) -> NDArray[np.str_]:
    """The slice of each row by name; empty for values that are not among the most frequent."""
    texts = column.cast(pl.String).fill_null(MISSING)
    frequent = texts.value_counts(sort=True).get_column(texts.name).head(most)
    return texts.set(~texts.is_in(frequent.implode()), "").to_numpy().astype(np.str_)


def _sentence(one: Comparison) -> str:
    worse = -(one.difference or 0.0)
    interval = "" if one.low is None or one.high is None else f" ({-one.high:.3g} to {-one.low:.3g})"
    by = f"by {worse:.3g}{interval} on {one.n:,} rows"
    return f"{one.metric} of {one.where} is worse than the {one.against}'s {by}"


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
