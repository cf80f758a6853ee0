"""Each decision gives the plan that holds after it."""

import pytest

from trimtab.atoms.content.encoding import Encoding
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.error import UsageError
from trimtab.loop.release.plan import (
    Candidate,
    Phase,
    decide_canary,
    decide_first,
    decide_promote,
    decide_roll_back,
    decide_shadow,
    next_phase,
)


def _plan(road, kind, function):
    done = road.run(function, kind)
    return road.bench.store.read(done.first("traffic-plan").id, TrafficPlan), done


def test_the_first_bundle_answers_alone(road):
    """Version 1 is champion, and the note says that there was no evidence."""
    plan, done = _plan(road, "promote", lambda work: decide_first(work, model="toy", candidate=road.champion))
    assert (plan.champion, plan.champion_version, plan.stage, plan.challenger) == (
        road.champion.bundle,
        1,
        "full",
        None,
    )
    assert "without evidence" in done.note


def test_shadow_canary_promote(road):
    """The road of a good challenger."""
    plan, done = _plan(
        road, "shadow", lambda work: decide_shadow(work, plan_id=road.alone, candidate=road.challenger)
    )
    assert (plan.stage, plan.share, plan.challenger_version, plan.champion_version) == ("shadow", 0.0, 2, 1)
    shadow = done.first("traffic-plan").id
    plan, done = _plan(road, "canary", lambda work: decide_canary(work, plan_id=shadow, share=0.05))
    assert (plan.stage, plan.share, plan.challenger) == ("canary", 0.05, road.challenger.bundle)
    canary = done.first("traffic-plan").id
    plan, _ = _plan(road, "promote", lambda work: decide_promote(work, plan_id=canary))
    assert (plan.champion_version, plan.stage, plan.challenger) == (2, "full", None)


def test_a_canary_goes_back(road):
    """The champion answers alone again: the plan is the one before, to the digest."""
    _, done = _plan(road, "roll-back", lambda work: decide_roll_back(work, plan_id=road.canary))
    assert done.first("traffic-plan").id == road.alone
    assert "version 2 is rolled back" in done.note


def test_an_earlier_champion_comes_back(road):
    """Without a challenger the version to go back to must be named."""
    plan, _ = _plan(
        road, "roll-back", lambda work: decide_roll_back(work, plan_id=road.alone, to=road.challenger)
    )
    assert plan.champion_version == 2
    with pytest.raises(UsageError, match="name the version"):
        _plan(road, "roll-back", lambda work: decide_roll_back(work, plan_id=road.alone))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1])
def test_a_share_lies_between_nothing_and_all(road, share):
    """All of the traffic is a promotion."""
    with pytest.raises(UsageError, match="between 0 and 1"):
        _plan(road, "canary", lambda work: decide_canary(work, plan_id=road.canary, share=share))


def test_a_bundle_of_another_model_is_refused(road):
    """And so is the champion as its own challenger."""
    other = Candidate(road.bench.bundle("other", "9" * 64, Encoding(columns=())), 7)
    with pytest.raises(UsageError, match="not of 'toy'"):
        _plan(road, "shadow", lambda work: decide_shadow(work, plan_id=road.alone, candidate=other))
    with pytest.raises(UsageError, match="champion already"):
        _plan(road, "shadow", lambda work: decide_shadow(work, plan_id=road.alone, candidate=road.champion))


def test_the_steps_are_taken_in_order():
    """Shadow, each share, all; a step that is left out is passed over."""
    steps = ("shadow", 0.05, 0.25)
    plan = TrafficPlan(model="toy", champion="a", champion_version=1)
    assert next_phase(plan, steps) == Phase("shadow")
    assert next_phase(plan, (0.1,)) == Phase("canary", 0.1)

    def at(stage, share):
        fields = {"challenger": "b", "challenger_version": 2, "stage": stage, "share": share}
        return TrafficPlan(model="toy", champion="a", champion_version=1, **fields)

    assert next_phase(at("shadow", 0.0), steps) == Phase("canary", 0.05)
    assert next_phase(at("canary", 0.05), steps) == Phase("canary", 0.25)
    assert next_phase(at("canary", 0.25), steps) == Phase("promote")
    assert next_phase(at("shadow", 0.0), ("shadow",)) == Phase("promote")
