"""What a registration is judged by: parity of answers and of features, time and size."""

from dataclasses import dataclass

import numpy as np

from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.loop.register.feature_parity import FeatureParity
from trimtab.loop.register.parity import Agreement


@dataclass(frozen=True, slots=True)
class Judgement:
    """A Check before it is recorded."""

    rule: str
    reading: Reading
    limit: Limit
    verdict: Verdict
    says: str


def judge_parity(agreement: Agreement, why_native: str) -> Judgement:
    """No row may differ by more than the tolerance; a model that is served natively says why."""
    rows, differing = agreement.rows, agreement.differing
    largest = agreement.largest_difference
    how = f"by {largest:.2g} at most" if np.isfinite(largest) else "one answers where the other has none"
    if differing:
        says = (
            f"{differing:,} of {rows:,} real rows get another answer from the compiled model, {how}: "
            "it is not served; replace the step that is converted wrongly, or register the model natively"
        )
    else:
        says = f"{rows:,} real rows get the trained model's answers, {how}"
    if why_native:
        says = f"served natively, not compiled: {why_native}; {says}"
    return Judgement(
        rule="parity.compiled",
        reading=Reading(value=differing / rows, unit="share of rows", n=rows),
        limit=Limit(at_most=0.0),
        verdict=Verdict.FAIL if differing else Verdict.PASS,
        says=says,
    )


def judge_features(parity: FeatureParity) -> Judgement:
    """No row may have other features when served."""
    return Judgement(
        rule="parity.features",
        reading=Reading(value=float(parity.differing) if parity.rows else None, unit="rows", n=parity.rows),
        limit=Limit(at_most=0.0),
        verdict=parity.verdict,
        says=parity.says,
    )


def judge_latency(took_ms: float, calls: int, limit_ms: float) -> Judgement:
    """One row through the model, without the HTTP around it."""
    return Judgement(
        rule="budget.latency",
        reading=Reading(value=took_ms, unit="ms", n=calls),
        limit=Limit(at_most=limit_ms),
        verdict=Verdict.PASS if took_ms <= limit_ms else Verdict.FAIL,
        says=f"one row takes {took_ms:.3g} ms (median of {calls} calls); {limit_ms:g} ms are allowed",
    )


def judge_size(size_bytes: int, limit_bytes: int) -> Judgement:
    """The model's own bytes, which every serving process holds."""
    return Judgement(
        rule="budget.size",
        reading=Reading(value=float(size_bytes), unit="bytes", n=1),
        limit=Limit(at_most=float(limit_bytes)),
        verdict=Verdict.PASS if size_bytes <= limit_bytes else Verdict.FAIL,
        says=f"the model is {size_bytes:,} bytes; {limit_bytes:,} are allowed",
    )
