"""What a stage of a release ends in: on, wait, or back."""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.atoms.check import Check, Verdict
from trimtab.loop.release.policy import Policy
from trimtab.stats.e_process import HOLD_AT


@dataclass(frozen=True, slots=True)
class ReleaseState:
    """Where a release stands."""

    #: `shadow` or `canary`.
    stage: str
    #: Share of the requests that the challenger answers.
    share: float
    #: Seconds since this plan holds.
    seconds: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done with a challenger."""

    #: `advance`, `hold` or `roll-back`.
    kind: str
    #: Ids of the Checks that it answers.
    because: tuple[str, ...]
    note: str


def decide_release(checks: Sequence[Check], policy: Policy, state: ReleaseState) -> Decision:
    """Decide by the Checks of one look.

    Harm that is proved rolls back. What could not be judged, too little traffic or time, and suspicion wait.
    Undecided outcomes of a shadow do not: the held-out rows have decided already.
    """
    ids = tuple(check.id for check in checks)
    failed = [check for check in checks if check.verdict is Verdict.FAIL]
    if failed:
        return Decision("roll-back", tuple(check.id for check in failed), _words(failed))
    broken = [check for check in checks if check.verdict is Verdict.BROKEN]
    if broken:
        return Decision("hold", tuple(check.id for check in broken), f"could not be judged: {_words(broken)}")
    exposure = [check for check in checks if check.name == "release.exposure"]
    if not exposure or any(check.verdict is not Verdict.PASS for check in exposure):
        return Decision("hold", ids, _words(exposure) or "no traffic was looked at")
    if state.seconds < policy.stage_seconds:
        left = policy.stage_seconds - state.seconds
        return Decision("hold", ids, f"{left:,.0f} s are left of this stage's least time")
    unsure = [check for check in checks if check.verdict is Verdict.UNSURE and check.name != "shadow.quality"]
    suspicious = [
        check for check in unsure if check.reading.n == 0 or (check.reading.value or 0.0) >= HOLD_AT
    ]
    if suspicious:
        return Decision("hold", tuple(check.id for check in suspicious), _words(suspicious))
    stage = "in shadow" if state.stage == "shadow" else f"as a canary of {state.share:.0%}"
    return Decision("advance", ids, f"no harm {stage}: {_words(exposure)}")


def _words(checks: Sequence[Check]) -> str:
    return "; ".join(f"{check.name}: {check.says}" for check in checks)
