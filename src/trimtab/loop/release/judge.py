"""Judging a challenger by the traffic that it met beside the champion."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.bundle import Bundle, Manifest
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.error import UsageError
from trimtab.engine.work import Work
from trimtab.loop.release.evidence import (
    AnswerBins,
    answer_bins,
    answer_evidence,
    averaged,
    error_evidence,
    latency_evidence,
    latest,
    live_bins,
    strongest,
)
from trimtab.loop.release.policy import Policy
from trimtab.loop.release.shadow_pair import judge_agreement, judge_shadow_quality
from trimtab.loop.release.traffic import Batch, pairs, read_batches
from trimtab.rows.served_row import answer_matrix, answer_summary
from trimtab.rows.table import read_table
from trimtab.stats.e_process import HOLD_AT

_E = "E"


@dataclass(frozen=True, slots=True)
class CanaryEvidence:
    """What a canary's batches prove of each fear; each E is 1 where they prove nothing."""

    errors: float
    latency: float
    answers: float
    #: Of the three together: what decides.
    together: float
    #: The same three after the last batch: a suspicion that later traffic took away does not hold a release back.
    latest: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _Case:
    challenger: str
    champion: str
    rules: Artifact
    policy: Policy
    batches: Sequence[Batch]

    @property
    def requests(self) -> int:
        """Requests that reached the challenger."""
        return sum(batch.challenger.requests for batch in self.batches)

    @property
    def errors(self) -> int:
        """Requests that it failed."""
        return sum(batch.challenger.errors for batch in self.batches)


def judge_first(work: Work, *, bundle_id: str, policy: Policy) -> None:
    """Judge that a model's first bundle may answer: without a champion there is nothing to be worse than."""
    model = work.read(bundle_id, Bundle).manifest.model
    work.judge(
        "release.first",
        work.rules("release", policy.settings()),
        bundle_id,
        reading=Reading(value=0.0, unit="champions"),
        limit=Limit(at_most=0),
        verdict=Verdict.PASS,
        says=f"{model} has no champion yet: its first bundle answers all, without evidence from live traffic",
    )


def judge_shadow(work: Work, *, plan_id: str, windows: Sequence[str], policy: Policy) -> None:
    """Judge a shadow: whether it answers, with numbers, near the champion's, and as well as outcomes tell.

    Args:
        windows: Windows of traffic since it is a shadow, in order; outcomes in them are used.
    """
    plan, case = _open(work, plan_id, windows, "shadow", policy)
    path = error_evidence(case.batches)
    _judge_errors(work, case, "shadow.errors", strongest(path), latest(path))
    paired = pairs(work, plan, windows)
    manifest = work.read(case.challenger, Bundle).manifest
    judge_agreement(work, paired, manifest, case.challenger, case.champion, case.rules)
    judge_shadow_quality(work, paired, manifest, case.challenger, case.champion, case.rules, policy)
    _judge_exposure(work, case)


def judge_canary(work: Work, *, plan_id: str, windows: Sequence[str], policy: Policy) -> None:
    """Judge a canary: whether it fails, dawdles or answers oddly more often than the champion beside it.

    Args:
        windows: Windows of traffic since it is a canary (of any share), in order. Look as often as you like.
    """
    plan, case = _open(work, plan_id, windows, "canary", policy)
    bins = _bins(work, plan, case.batches, policy)
    evidence = canary_evidence_of(case.batches, bins, policy)
    _judge_errors(work, case, "canary.errors", evidence.errors, evidence.latest[0], evidence.together)
    _judge_latency(work, case, evidence)
    _judge_answers(work, case, evidence)
    _judge_exposure(work, case)


def canary_evidence_of(batches: Sequence[Batch], bins: AnswerBins, policy: Policy) -> CanaryEvidence:
    """The evidence of a canary's batches, without a store."""
    paths = [error_evidence(batches), latency_evidence(batches, policy), answer_evidence(batches, bins)]
    errors, latency, answers = (strongest(path) for path in paths)
    now_errors, now_latency, now_answers = (latest(path) for path in paths)
    return CanaryEvidence(
        errors, latency, answers, strongest(averaged(paths)), (now_errors, now_latency, now_answers)
    )


def _open(
    work: Work, plan_id: str, windows: Sequence[str], role: str, policy: Policy
) -> tuple[TrafficPlan, _Case]:
    plan = work.read(plan_id, TrafficPlan)
    if plan.challenger is None:
        raise UsageError(f"model {plan.model!r}: the plan has no challenger, so there is no {role} to judge")
    rules = work.rules("release", policy.settings())
    batches = read_batches(work, plan, windows, role)
    return plan, _Case(plan.challenger, plan.champion, rules, policy, batches)


def _bins(work: Work, plan: TrafficPlan, batches: Sequence[Batch], policy: Policy) -> AnswerBins:
    assert plan.challenger is not None
    ours = _held_out(work, work.read(plan.challenger, Bundle).manifest)
    theirs = _held_out(work, work.read(plan.champion, Bundle).manifest)
    if not ours.size and not theirs.size:
        return live_bins(batches, policy)
    return answer_bins(ours, theirs, policy)


def _held_out(work: Work, manifest: Manifest) -> NDArray[np.float64]:
    if manifest.holdout_answers is None:
        return np.empty(0)
    frame = read_table(work.part(manifest.holdout_answers))
    return answer_summary(answer_matrix(frame, len(manifest.classes)))


def _judge_errors(
    work: Work, case: _Case, rule: str, e: float, now: float, together: float | None = None
) -> None:
    champion_requests = sum(batch.champion.requests for batch in case.batches)
    champion_errors = sum(batch.champion.errors for batch in case.batches)
    beside = f"{champion_errors:,} of the champion's {champion_requests:,}"
    found = f"{case.errors:,} of {case.requests:,} requests failed beside {beside}"
    hopeless = _hopeless(case)
    if hopeless:
        _say(work, case, rule, Verdict.FAIL, e, case.requests, f"{found}: {hopeless}")
    else:
        _say_evidence(work, case, rule, (e, now), together, case.requests, found)


def _judge_latency(work: Work, case: _Case, evidence: CanaryEvidence) -> None:
    ours = np.concatenate([np.empty(0), *(batch.challenger.latency_ms for batch in case.batches)])
    theirs = np.concatenate([np.empty(0), *(batch.champion.latency_ms for batch in case.batches)])
    found = f"{_tail(ours)} beside the champion's {_tail(theirs)}"
    strength = (evidence.latency, evidence.latest[1])
    _say_evidence(work, case, "canary.latency", strength, evidence.together, ours.size, found)


def _judge_answers(work: Work, case: _Case, evidence: CanaryEvidence) -> None:
    ours = np.concatenate([np.empty(0), *(batch.challenger.answers for batch in case.batches)])
    theirs = np.concatenate([np.empty(0), *(batch.champion.answers for batch in case.batches)])
    broken = int((~np.isfinite(ours)).sum())
    if broken:
        says = f"{broken:,} of {ours.size:,} answers are missing or not finite"
        _say(work, case, "canary.answers", Verdict.FAIL, evidence.answers, ours.size, says)
        return
    found = f"mean answer {_mean(ours)} beside the champion's {_mean(theirs)}"
    strength = (evidence.answers, evidence.latest[2])
    _say_evidence(work, case, "canary.answers", strength, evidence.together, ours.size, found)


def _judge_exposure(work: Work, case: _Case) -> None:
    enough = case.requests >= case.policy.min_requests
    work.judge(
        "release.exposure",
        case.rules,
        case.challenger,
        baseline=case.champion,
        reading=Reading(value=float(case.requests), unit="requests", n=case.requests),
        limit=Limit(at_least=case.policy.min_requests),
        verdict=Verdict.PASS if enough else Verdict.UNSURE,
        says=f"{case.requests:,} requests reached it in this stage, {case.policy.min_requests:,} are needed",
    )


def _hopeless(case: _Case) -> str | None:
    """Failures that need no statistics."""
    failed = np.concatenate(
        [np.empty(0, dtype=np.bool_), *(batch.challenger.failed for batch in case.batches)]
    )
    first = failed[: case.policy.first_failures]
    if first.size == case.policy.first_failures and first.all():
        return f"all of the first {first.size} failed"
    share = case.policy.hopeless_errors
    if failed.size >= case.policy.min_requests and failed.mean() > share:
        return f"more than {share:.0%} failed"
    return None


def _say_evidence(
    work: Work,
    case: _Case,
    rule: str,
    strength: tuple[float, float],
    together: float | None,
    n: int,
    found: str,
) -> None:
    """A verdict by evidence: FAIL where all checks together prove harm and this one by itself too.

    Args:
        strength: The strongest E that there ever was, which proves, and the latest, which is suspicious.
    """
    proof = 1 / case.policy.alpha
    e, now = strength
    words = f"{found}; evidence of harm E = {now:.3g}, at most {e:.3g}, {proof:.0f} rolls back"
    if not any(batch.champion.requests for batch in case.batches):
        n = 0
    if n == 0:
        verdict, words = Verdict.UNSURE, f"{found}: nothing to compare"
    elif e >= proof and (together is None or together >= proof):
        verdict = Verdict.FAIL
    else:
        verdict = Verdict.UNSURE if now >= HOLD_AT else Verdict.PASS
    _say(work, case, rule, verdict, e if verdict is Verdict.FAIL else now, n, words)


def _say(work: Work, case: _Case, rule: str, verdict: Verdict, e: float, n: int, says: str) -> None:
    work.judge(
        rule,
        case.rules,
        case.challenger,
        baseline=case.champion,
        reading=Reading(value=float(f"{e:.6g}"), unit=_E, n=n),
        limit=Limit(at_most=1 / case.policy.alpha),
        verdict=verdict,
        says=says,
    )


def _tail(latency_ms: NDArray[np.float64]) -> str:
    if not latency_ms.size:
        return "no latency"
    middle, tail = np.quantile(latency_ms, [0.5, 0.99])
    return f"{middle:.3g} ms in the middle and {tail:.3g} ms at p99"


def _mean(values: NDArray[np.float64]) -> str:
    finite = values[np.isfinite(values)]
    return f"{finite.mean():.4g}" if finite.size else "(none)"
