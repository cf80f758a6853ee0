"""Evaluating a model: scores with intervals, comparisons, slices, and the Checks that the gate goes by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.model import Model
from trimtab.atoms.content.scorecard import Comparison, Score, Scorecard
from trimtab.atoms.error import UsageError
from trimtab.engine.work import Work
from trimtab.loop.evaluate.blessing import CONSTANT
from trimtab.loop.evaluate.gate_rows import Answer, Champion, GateRows, gate_rows
from trimtab.loop.evaluate.policy import Policy
from trimtab.loop.evaluate.simple_model import fit_constant, fit_one_feature
from trimtab.loop.evaluate.slice_gate import SliceGate, judge_slices, slice_gate
from trimtab.spec.model import ModelSpec
from trimtab.stats.block_bootstrap import metric_interval, paired_improvement
from trimtab.stats.gate import gate_verdict, labels_needed, level_after_looks
from trimtab.stats.interval import Interval
from trimtab.stats.metric.catalog import METRICS
from trimtab.stats.metric.metric import Metric

#: Metrics of a model that declares none; the first one decides.
DEFAULT_METRICS = {"classification": ("log_loss", "roc_auc", "accuracy"), "regression": ("rmse", "mae", "r2")}
_SEED = 20_130_101


@dataclass(frozen=True, slots=True)
class _Duel:
    """The challenger against one rival in one metric, on the rows that are fair to both."""

    rival: str
    metric: Metric
    ours: float
    theirs: float
    improvement: Interval
    margin: float
    verdict: str
    needed: int | None
    #: What a block is.
    block_word: str


@dataclass(frozen=True, slots=True)
class _Case:
    model_id: str
    rules: Artifact
    card: Artifact
    policy: Policy
    #: Artifact id of the champion's bundle.
    champion: str | None
    looks: int


def evaluate(
    work: Work,
    *,
    model_id: str,
    table_id: str,
    spec: ModelSpec,
    challenger: Answer,
    champion: Champion | None,
    policy: Policy,
    looks: int = 0,
) -> Artifact:
    """Score a model on rows that it never saw, and judge whether it may be registered.

    Args:
        challenger: The trained model's answers to encoded rows.
        champion: The bundle that answers now, where there is one.
        looks: Earlier models that were judged on the same held-out rows: each look costs confidence.

    Returns:
        The scorecard.

    Raises:
        UsageError: A declared metric does not exist or is not for this task; the champion cannot be compared.
    """
    model = work.read(model_id, Model)
    metrics = _metrics(spec, model.task)
    rows = gate_rows(work, model, table_id, challenger, champion)
    rivals = _rivals(model, rows)
    level = level_after_looks(1 - policy.alpha, looks + 1)
    duels = [
        _duel(name, answers, fair, metric, rows, policy, level if metric is metrics[0] else 0.95)
        for name, (answers, fair) in rivals.items()
        for metric in metrics
    ]
    against = "champion" if rows.champion is not None and rows.fair.any() else CONSTANT
    slices = slice_gate(rows, rivals[against], against, spec.slices, metrics[0], policy)
    card = work.keep(
        Scorecard(
            model=model.name,
            candidate=model_id,
            champion=champion.bundle if champion else None,
            rows=rows.frame.height,
            blocks=int(np.unique(rows.blocks).size),
            scores=(*_scores(rows, rivals, metrics, policy), *slices.scores),
            comparisons=(*(_comparison(duel) for duel in duels), *slices.comparisons),
        )
    )
    rules = work.rules("gate", {**policy.settings(), "looks": looks, "metric": metrics[0].name})
    case = _Case(model_id, rules, card, policy, champion.bundle if champion else None, looks)
    _judge_all(work, case, rows, [duel for duel in duels if duel.metric is metrics[0]], slices)
    return card


def _judge_all(work: Work, case: _Case, rows: GateRows, duels: Sequence[_Duel], slices: SliceGate) -> None:
    of = {duel.rival: duel for duel in duels}
    _judge_finite(work, case, rows)
    _judge_constant(work, case, of[CONSTANT])
    if "one feature" in of:
        _judge_rival(work, case, "quality.baseline", of["one feature"], about="one feature")
    if case.champion is not None:
        if "champion" in of:
            _judge_rival(work, case, "quality.champion", of["champion"])
        else:
            says = "the champion was trained on all of these rows: there is nothing fair to compare on"
            _say(work, case, "quality.champion", Verdict.UNSURE, None, says)
    judge_slices(work, case.model_id, case.champion, case.rules, case.card, slices)
    decisive = of.get("champion", of[CONSTANT])
    work.note = _sentence(decisive, case.looks)


def _metrics(spec: ModelSpec, task: str) -> list[Metric]:
    names = spec.metrics or DEFAULT_METRICS[task]
    for name in names:
        if name not in METRICS or METRICS[name].task != task:
            known = ", ".join(sorted(metric.name for metric in METRICS.values() if metric.task == task))
            raise UsageError(f"model {spec.name!r}: metric {name!r} is none for {task}; there are {known}")
    return [METRICS[name] for name in names]


def _rivals(model: Model, rows: GateRows) -> dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Each rival's answers, and the held-out rows that they are to."""
    classes, everywhere = len(model.classes), np.ones(rows.frame.height, dtype=np.bool_)
    constant = fit_constant(rows.training_truth, classes)
    single = fit_one_feature(rows.training, rows.training_truth, model.encoding, classes)
    rivals = {CONSTANT: (constant.answer(rows.encoded), everywhere)}
    if single.feature is not None:
        rivals["one feature"] = (single.answer(rows.encoded), everywhere)
    if rows.champion is not None and rows.fair.any():
        rivals["champion"] = (rows.champion, rows.fair)
    return rivals


def _scores(
    rows: GateRows,
    rivals: dict[str, tuple[NDArray[np.float64], NDArray[np.bool_]]],
    metrics: Sequence[Metric],
    policy: Policy,
) -> list[Score]:
    who = {"challenger": (rows.answers, np.ones(rows.frame.height, dtype=np.bool_)), **rivals}
    scores = []
    for name, (answers, fair) in who.items():
        for metric in metrics:
            found = metric_interval(
                metric, rows.truth[fair], answers, rows.blocks[fair], policy.replicates, seed=_SEED
            )
            scores.append(
                Score(
                    who="baseline" if name == "one feature" else name,
                    metric=metric.name,
                    value=number(found.value),
                    low=number(found.low),
                    high=number(found.high),
                    n=found.n,
                )
            )
    return scores


def _duel(
    rival: str,
    answers: NDArray[np.float64],
    fair: NDArray[np.bool_],
    metric: Metric,
    rows: GateRows,
    policy: Policy,
    level: float,
) -> _Duel:
    truth, ours, days = rows.truth[fair], rows.answers[fair], rows.blocks[fair]
    # Far quantiles need more replicates than the middle ones.
    replicates = min(max(policy.replicates, math.ceil(40 / (1 - level))), 5 * policy.replicates)
    improvement = paired_improvement(metric, truth, answers, ours, days, replicates, seed=_SEED, level=level)
    theirs = metric.score(truth, answers)
    margin = 0.0 if rival == CONSTANT else margin_of(metric, theirs, policy.margin)
    verdict = gate_verdict(improvement, margin, policy.min_blocks)
    return _Duel(
        rival=rival,
        metric=metric,
        ours=metric.score(truth, ours),
        theirs=theirs,
        improvement=improvement,
        margin=margin,
        verdict=verdict,
        needed=labels_needed(improvement, margin, policy.min_blocks, level),
        block_word=rows.block_word,
    )


def margin_of(metric: Metric, score: float, share: float) -> float:
    """A share of a loss, or of what a score lacks to 1, in the metric's unit."""
    if not math.isfinite(score):
        return 0.0
    return share * abs(1.0 - score if metric.greater_is_better else score)


def number(value: float) -> float | None:
    """`value`, or None where it is not finite: an artifact has no word for it."""
    return float(value) if math.isfinite(value) else None


def _comparison(duel: _Duel) -> Comparison:
    return Comparison(
        against="baseline" if duel.rival == "one feature" else duel.rival,
        metric=duel.metric.name,
        difference=number(duel.improvement.value),
        low=number(duel.improvement.low),
        high=number(duel.improvement.high),
        n=duel.improvement.n,
        blocks=duel.improvement.blocks,
        verdict=duel.verdict,
        labels_needed=duel.needed if duel.verdict == "cannot-tell" else None,
    )


def _judge_finite(work: Work, case: _Case, rows: GateRows) -> None:
    answers = rows.answers.reshape(rows.frame.height, -1) if rows.frame.height else rows.answers
    wrong = ~np.isfinite(answers)
    if rows.answers.ndim == 2:
        wrong |= (answers < 0) | (answers > 1 + 1e-6)
    broken = int(wrong.any(axis=-1).sum())
    if not rows.frame.height:
        verdict, says = Verdict.UNSURE, "no row was held out: there is nothing to look at"
    elif broken:
        verdict = Verdict.FAIL
        says = f"{broken:,} of {rows.frame.height:,} answers are no finite number or no probability"
    else:
        verdict, says = Verdict.PASS, f"all {rows.frame.height:,} answers are finite"
    work.judge(
        "quality.finite",
        case.rules,
        case.model_id,
        reading=Reading(value=float(broken), unit="answers", n=rows.frame.height),
        limit=Limit(at_most=0),
        verdict=verdict,
        says=says,
        evidence=case.card,
    )


def _judge_constant(work: Work, case: _Case, duel: _Duel) -> None:
    """Better than always saying the same: a model that is surely not, has learnt nothing."""
    hardly = margin_of(duel.metric, duel.theirs, case.policy.margin)
    if duel.verdict == "better":
        verdict = Verdict.PASS
    elif duel.verdict in ("worse", "no-worse"):
        verdict = Verdict.FAIL
    else:
        enough = duel.improvement.blocks >= case.policy.min_blocks
        verdict = Verdict.FAIL if enough and duel.improvement.high < hardly else Verdict.UNSURE
    _say(work, case, "quality.baseline", verdict, duel, _sentence(duel, case.looks), CONSTANT)


def _judge_rival(work: Work, case: _Case, rule: str, duel: _Duel, about: str = "") -> None:
    verdicts = {"better": Verdict.PASS, "no-worse": Verdict.PASS, "worse": Verdict.FAIL}
    verdict = verdicts.get(duel.verdict, Verdict.UNSURE)
    _say(work, case, rule, verdict, duel, _sentence(duel, case.looks), about)


def _say(
    work: Work, case: _Case, rule: str, verdict: Verdict, duel: _Duel | None, says: str, about: str = ""
) -> None:
    found = duel.improvement if duel else None
    work.judge(
        rule,
        case.rules,
        case.model_id,
        baseline=case.champion if rule == "quality.champion" else None,
        about=about,
        reading=Reading(
            value=number(found.value) if found else None,
            unit=f"{duel.metric.name} gained" if duel else "",
            low=number(found.low) if found else None,
            high=number(found.high) if found else None,
            n=found.n if found else 0,
        ),
        limit=Limit(at_least=-duel.margin if duel else None),
        verdict=verdict,
        says=says,
        evidence=case.card,
    )


def _sentence(duel: _Duel, looks: int) -> str:
    """What a person reads of a comparison."""
    rival = {CONSTANT: "the constant's", "champion": "the champion's"}.get(
        duel.rival, "the best single feature's"
    )
    found = duel.improvement
    what = f"{duel.metric.name} {duel.ours:.4g} against {rival} {duel.theirs:.4g}"
    where = f"on {found.n:,} rows over {found.blocks} {duel.block_word}"
    if not math.isfinite(found.value):
        return f"{what} {where}: cannot tell, the metric is not defined on these rows"
    interval = f" ({found.low:.3g} to {found.high:.3g})" if math.isfinite(found.low) else ""
    by = f"{'better' if found.value >= 0 else 'worse'} by {abs(found.value):.3g}{interval}"
    if found.value < 0 and interval:
        by = f"worse by {-found.value:.3g} ({-found.high:.3g} to {-found.low:.3g})"
    look = f"; look {looks + 1} at these rows" if looks else ""
    if duel.verdict == "cannot-tell":
        more = f", about {duel.needed:,} more labels would decide" if duel.needed else ""
        return f"{what} {where}: {by}, cannot tell{more}{look}"
    if duel.verdict == "no-worse":
        return f"{what} {where}: no worse than by {duel.margin:.3g}, {by}{look}"
    return f"{what} {where}: {by}{look}"
