"""The next traffic plan: who answers after a decision."""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.bundle import Bundle
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.error import UsageError
from trimtab.engine.work import Work


@dataclass(frozen=True, slots=True)
class Candidate:
    """A bundle that is to answer, with its version number."""

    bundle: str
    version: int


@dataclass(frozen=True, slots=True)
class Phase:
    """What a release does next: `shadow`, `canary` (with its share) or `promote`."""

    kind: str
    share: float = 0.0


def next_phase(plan: TrafficPlan, steps: Sequence[str | float]) -> Phase:
    """What comes after a plan's stage.

    Args:
        plan: The plan that holds now; one without a challenger is at the start.
        steps: `shadow` and shares of the requests, in their order.

    >>> plan = TrafficPlan(model="m", champion="a", champion_version=1)
    >>> next_phase(plan, ("shadow", 0.05)), next_phase(plan, ())
    (Phase(kind='shadow', share=0.0), Phase(kind='promote', share=0.0))
    """
    shares = sorted(step for step in steps if not isinstance(step, str) and 0 < step < 1)
    if plan.challenger is None and "shadow" in steps:
        return Phase("shadow")
    reached = plan.share if plan.stage == "canary" else 0.0
    further = [share for share in shares if share > reached]
    return Phase("canary", further[0]) if further else Phase("promote")


def decide_first(work: Work, *, model: str, candidate: Candidate) -> Artifact:
    """The first bundle of a model answers everything: there is nothing to hold it against."""
    _must_be_of(work, candidate, model)
    work.note = (
        f"version {candidate.version} answers all requests; promoted without evidence from live traffic"
    )
    return work.keep(TrafficPlan(model=model, champion=candidate.bundle, champion_version=candidate.version))


def decide_shadow(work: Work, *, plan_id: str, candidate: Candidate) -> Artifact:
    """The candidate answers beside the champion, and nobody is given its answers."""
    return _challenge(work, plan_id, candidate, "shadow", 0.0)


def decide_canary(work: Work, *, plan_id: str, share: float, candidate: Candidate | None = None) -> Artifact:
    """The challenger answers a share of the requests.

    Args:
        share: In (0, 1).
        candidate: Where the plan has no challenger yet.
    """
    if not 0 < share < 1:
        raise UsageError(
            f"a canary's share of the requests lies between 0 and 1, not {share}; to give it all, promote"
        )
    return _challenge(work, plan_id, candidate, "canary", share)


def decide_promote(work: Work, *, plan_id: str, candidate: Candidate | None = None) -> Artifact:
    """The challenger (or the candidate, where there is none) becomes champion and answers everything."""
    plan = work.read(plan_id, TrafficPlan)
    new = candidate or _challenger(plan)
    _must_be_of(work, new, plan.model)
    work.note = f"version {new.version} answers all requests, after version {plan.champion_version}"
    return work.keep(TrafficPlan(model=plan.model, champion=new.bundle, champion_version=new.version))


def decide_roll_back(work: Work, *, plan_id: str, to: Candidate | None = None) -> Artifact:
    """The challenger is taken out; without one, an earlier champion comes back.

    Args:
        to: The earlier champion; needed where the plan has no challenger.
    """
    plan = work.read(plan_id, TrafficPlan)
    if to is None:
        gone = _challenger(plan).version
        to = Candidate(plan.champion, plan.champion_version)
    else:
        _must_be_of(work, to, plan.model)
        gone = plan.champion_version if plan.challenger_version is None else plan.challenger_version
    work.note = f"version {to.version} answers all requests; version {gone} is rolled back"
    return work.keep(TrafficPlan(model=plan.model, champion=to.bundle, champion_version=to.version))


def _challenge(work: Work, plan_id: str, candidate: Candidate | None, stage: str, share: float) -> Artifact:
    plan = work.read(plan_id, TrafficPlan)
    new = candidate or _challenger(plan)
    _must_be_of(work, new, plan.model)
    if new.bundle == plan.champion:
        raise UsageError(f"version {new.version} is the champion already: there is nothing to try out")
    gets = "sees every request and its answers are kept back" if stage == "shadow" else f"answers {share:.0%}"
    work.note = f"version {new.version} {gets}; version {plan.champion_version} is champion"
    return work.keep(
        TrafficPlan(
            model=plan.model,
            champion=plan.champion,
            champion_version=plan.champion_version,
            challenger=new.bundle,
            challenger_version=new.version,
            stage=stage,
            share=share,
        )
    )


def _challenger(plan: TrafficPlan) -> Candidate:
    if plan.challenger is None or plan.challenger_version is None:
        raise UsageError(
            f"model {plan.model!r}: version {plan.champion_version} answers alone, there is no challenger; "
            "name the version"
        )
    return Candidate(plan.challenger, plan.challenger_version)


def _must_be_of(work: Work, candidate: Candidate, model: str) -> None:
    named = work.read(candidate.bundle, Bundle).manifest.model
    if named != model:
        raise UsageError(f"version {candidate.version} is a bundle of model {named!r}, not of {model!r}")
