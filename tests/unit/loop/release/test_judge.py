"""Bad canaries are found in few requests, and one as good as the champion is let through."""

import numpy as np
import pytest

from trimtab.atoms.check import Verdict
from trimtab.atoms.error import UsageError
from trimtab.loop.release.decision import ReleaseState, decide_release
from trimtab.loop.release.evidence import answer_bins, live_bins
from trimtab.loop.release.judge import canary_evidence_of, judge_canary, judge_first, judge_shadow
from trimtab.loop.release.policy import Policy
from trimtab.loop.release.traffic import Batch, Side

IN_CANARY = ReleaseState("canary", 0.25, 60.0)
IN_SHADOW = ReleaseState("shadow", 0.0, 60.0)


def _canary(road, *windows):
    done = road.run(lambda work: judge_canary(work, plan_id=road.canary, windows=windows, policy=road.policy))
    return {check.name: check for check in done.checks}


def _shadow(road, *windows):
    done = road.run(lambda work: judge_shadow(work, plan_id=road.shadow, windows=windows, policy=road.policy))
    return {check.name: check for check in done.checks}


def _decide(checks, state=IN_CANARY, policy=None):
    return decide_release(list(checks.values()), policy or Policy(), state)


def test_an_equal_canary_advances(road):
    """Three minutes without a difference."""
    windows = [road.window(road.requests(90, "champion"), road.requests(30, "canary")) for _ in range(3)]
    checks = _canary(road, *windows)
    assert {check.verdict for check in checks.values()} == {Verdict.PASS}
    decision = _decide(checks)
    assert decision.kind == "advance"
    assert set(decision.because) == {check.id for check in checks.values()}


def test_a_canary_that_fails_at_once_is_rolled_back_after_five_requests(road):
    """No statistics are waited for; the champion answered in its stead."""
    window = road.window(
        road.requests(10, "champion"),
        road.requests(5, "canary", failed=True),
        road.requests(5, "champion", fell_back=True, request_id=lambda place: f"instead {place}"),
    )
    checks = _canary(road, window)
    assert checks["canary.errors"].verdict is Verdict.FAIL
    assert "all of the first 5 failed" in checks["canary.errors"].says
    assert "5 of 5 requests failed beside 0 of the champion's 10" in checks["canary.errors"].says
    decision = _decide(checks)
    assert decision.kind == "roll-back"
    assert decision.because == (checks["canary.errors"].id,)


def test_a_canary_that_fails_sometimes_is_rolled_back_by_evidence(road):
    """One request in six fails: found within 60 requests."""
    window = road.window(
        road.requests(400, "champion"), road.requests(60, "canary", failed=lambda place: place % 6 == 5)
    )
    assert _decide(_canary(road, window)).kind == "roll-back"


def test_a_slow_canary_is_rolled_back_and_a_little_slower_one_is_not(road):
    """Four milliseconds more are harm; half a millisecond, however sure, is none."""

    def slower_by(extra):
        return lambda place: float(road.random.gamma(4.0, 0.5)) + extra

    slow = road.window(road.requests(300, "champion"), road.requests(60, "canary", latency_ms=slower_by(4.0)))
    checks = _canary(road, slow)
    assert checks["canary.latency"].verdict is Verdict.FAIL
    assert "ms in the middle" in checks["canary.latency"].says
    hardly = [
        road.window(road.requests(900, "champion"), road.requests(600, "canary", latency_ms=slower_by(0.5)))
        for _ in range(3)
    ]
    assert _canary(road, *hardly)["canary.latency"].verdict is Verdict.PASS


def test_a_canary_that_answers_nan_is_rolled_back(road):
    """One answer that is no number is enough."""
    window = road.window(
        road.requests(90, "champion"),
        road.requests(30, "canary", p1=lambda place: None if place == 7 else 0.4),
    )
    checks = _canary(road, window)
    assert checks["canary.answers"].verdict is Verdict.FAIL
    assert "1 of 30 answers" in checks["canary.answers"].says


def test_a_canary_that_is_stuck_is_rolled_back(road):
    """It gives the same answer to every request."""
    windows = [
        road.window(road.requests(200, "champion"), road.requests(60, "canary", p0=0.59, p1=0.41))
        for _ in range(2)
    ]
    checks = _canary(road, *windows)
    assert checks["canary.answers"].verdict is Verdict.FAIL
    assert _decide(checks).kind == "roll-back"


def test_little_traffic_waits(road):
    """Under the least number of requests nothing moves on; without any, too."""
    window = road.window(road.requests(40, "champion"), road.requests(8, "canary"))
    checks = _canary(road, window)
    assert checks["release.exposure"].verdict is Verdict.UNSURE
    assert _decide(checks).kind == "hold"
    for nothing in (_canary(road), _canary(road, road.window())):
        assert {check.verdict for check in nothing.values()} == {Verdict.UNSURE}
        assert _decide(nothing).kind == "hold"


def test_without_a_champion_beside_it_nothing_is_compared(road):
    """100 requests of the canary alone prove nothing."""
    checks = _canary(road, road.window(road.requests(100, "canary")))
    assert checks["canary.errors"].verdict is Verdict.UNSURE
    assert _decide(checks).kind == "hold"


def test_the_least_time_of_a_stage_is_kept(road):
    """Enough requests, too early."""
    window = road.window(road.requests(90, "champion"), road.requests(30, "canary"))
    decision = _decide(_canary(road, window), policy=Policy(stage_seconds=3600.0))
    assert decision.kind == "hold"
    assert "3,540 s" in decision.note


def test_a_shadow_as_good_as_the_champion_advances(road):
    """All answered, all finite; their distance is said."""
    twins = road.requests(30, "shadow", request_id=lambda place: f"r{place}")
    window = road.window(road.requests(30, "champion", request_id=lambda place: f"r{place}"), twins)
    checks = _shadow(road, window)
    assert {check.verdict for check in checks.values()} == {Verdict.PASS}
    assert "shadow.quality" not in checks
    assert 0 < checks["shadow.agreement"].reading.value < 1
    assert checks["shadow.agreement"].reading.n == 30
    assert _decide(checks, IN_SHADOW).kind == "advance"


def test_a_shadow_that_fails_is_rolled_back(road):
    """Its errors hurt nobody, and they end it."""
    shadow = road.requests(30, "shadow", failed=lambda place: place % 3 == 0)
    checks = _shadow(road, road.window(road.requests(300, "champion"), shadow))
    assert checks["shadow.errors"].verdict is Verdict.FAIL
    assert _decide(checks, IN_SHADOW).kind == "roll-back"


@pytest.mark.parametrize("classes", [(0, 1), ()], ids=["classes", "regression"])
@pytest.mark.parametrize(("better", "verdict"), [("shadow", Verdict.PASS), ("champion", Verdict.FAIL)])
def test_outcomes_decide_between_shadow_and_champion(make_road, classes, better, verdict):
    """With outcomes in the windows the two are compared row by row."""
    road = make_road(classes=classes)

    def said(role):
        chance = 0.9 if role == better else 0.5
        answer = {"p0": 1 - chance, "p1": chance} if classes else {"value": chance}
        return road.requests(200, role, request_id=lambda place: f"r{place}", truth="1", **answer)

    window = road.window(said("champion"), said("shadow"))
    check = _shadow(road, window)["shadow.quality"]
    assert check.verdict is verdict
    assert "200 outcomes" in check.says


def test_the_first_bundle_is_let_in_with_a_word(road):
    """There is nothing to compare it with, and the Check says so."""
    [check] = road.run(
        lambda work: judge_first(work, bundle_id=road.champion.bundle, policy=road.policy)
    ).checks
    assert check.verdict is Verdict.PASS
    assert "without evidence" in check.says


def test_a_plan_without_a_challenger_cannot_be_judged(road):
    """The error names the model and what is missing."""
    with pytest.raises(UsageError, match="no challenger"):
        road.run(lambda work: judge_canary(work, plan_id=road.alone, windows=(), policy=road.policy))


def _side(random, count, answers, failures=0.0):
    """A side whose requests fail by chance, and whose answers are drawn by a function of their number."""
    failed = random.random(count) < failures
    answered = int((~failed).sum())
    return Side(failed, random.gamma(4.0, 0.5, answered), answers(answered))


def test_equal_canaries_are_rolled_back_in_at_most_one_release_of_a_hundred():
    """300 releases of 20 minutes, looked at each minute: false roll-backs stay under 1 %, errors included."""
    policy, fallen = Policy(), 0
    for seed in range(300):
        random = np.random.default_rng(seed)

        def answers(count, random=random):
            return random.beta(2, 3, count)

        batches = [
            Batch(_side(random, 40, answers, 0.01), _side(random, 120, answers, 0.01)) for _ in range(20)
        ]
        bins = answer_bins(answers(2000), answers(2000), policy)
        fallen += canary_evidence_of(batches, bins, policy).together >= 1 / policy.alpha
    assert fallen <= 3


def test_a_canary_that_learnt_another_world_is_not_rolled_back_for_it():
    """It answers far higher than the champion, as on held-out rows; stuck answers are found all the same."""
    policy, random = Policy(), np.random.default_rng(5)

    def new(count):
        return random.beta(6, 4, count)

    def old(count):
        return random.beta(3, 7, count)

    def stuck(count):
        return np.full(count, 0.61)

    bins = answer_bins(new(2000), old(2000), policy)
    right = [Batch(_side(random, 200, new), _side(random, 600, old)) for _ in range(5)]
    assert canary_evidence_of(right, bins, policy).together < 10
    wrong = [Batch(_side(random, 200, stuck), _side(random, 600, old)) for _ in range(5)]
    assert canary_evidence_of(wrong, bins, policy).together >= 100


def test_a_roll_back_that_was_due_stays_due():
    """Twenty failures in the first minute are not forgiven for an hour without one."""
    random, policy = np.random.default_rng(9), Policy()

    def answers(count):
        return random.beta(2, 3, count)

    bad = Batch(_side(random, 40, answers, 0.5), _side(random, 120, answers))
    calm = [Batch(_side(random, 400, answers), _side(random, 40, answers, 0.2)) for _ in range(60)]
    bins = answer_bins(answers(2000), answers(2000), policy)
    first, last = (canary_evidence_of(batches, bins, policy) for batches in ([bad], [bad, *calm]))
    assert first.errors >= 100
    assert last.errors == first.errors


def test_evidence_of_nothing_is_one():
    """Without a batch nothing is proved."""
    evidence = canary_evidence_of([], live_bins([], Policy()), Policy())
    assert (evidence.errors, evidence.latency, evidence.answers, evidence.together) == (1.0, 1.0, 1.0, 1.0)
