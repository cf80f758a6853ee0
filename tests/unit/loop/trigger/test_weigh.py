"""When a retrain is ordered, and everything that holds one back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from trimtab.atoms.check import Verdict
from trimtab.atoms.content.retrain_order import RetrainOrder
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.error import UsageError
from trimtab.loop.trigger import CARD
from trimtab.loop.trigger.policy import Policy
from trimtab.loop.trigger.weigh import Facts, decide_retrain, weigh
from trimtab.testing.storyteller import Storyteller
from trimtab.testing.workbench import Workbench

NOW = datetime(2013, 6, 1, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)


class Scale:
    """Weighs facts, and remembers what was decided and judged."""

    def __init__(self) -> None:
        self.bench = Workbench()
        plan = TrafficPlan(model="toy", champion="0" * 64, champion_version=1)
        self.subject = self.bench.keep(plan)
        tell = Storyteller(self.bench.store, NOW)
        thing = tell.thing(plan)
        self.loss, self.drift, self.gap, self.family = (
            tell.judgement(rule, thing, Verdict.FAIL, f"{rule} is bad", about=about)
            for rule, about in [
                ("quality.loss", "log_loss"),
                ("drift.location", "x"),
                ("drift.missing", "x"),
                ("drift.missing", ""),
            ]
        )
        tell.tell("monitor", "monitor", "toy", judged=[self.loss, self.drift, self.gap, self.family])
        #: A model that is old enough to be trained again, and has the data for it.
        self.facts = Facts(
            model="toy",
            now=NOW,
            subject=self.subject,
            orders=3,
            last_order=LONG_AGO,
            trained_until=LONG_AGO,
            new_spans=100,
            new_rows=90_000,
            outcome_days=99.0,
        )

    def weigh(self, policy=None, **changes):
        """The decision, and the Checks by rule."""
        decided = []
        done = self.bench.run(
            CARD,
            "weigh",
            lambda work: decided.append(weigh(work, replace(self.facts, **changes), policy or Policy())),
        )
        return decided[0], {check.name: check for check in done.checks}


@pytest.fixture
def scale():
    """Facts that give no reason and stand in no one's way."""
    return Scale()


def test_without_a_reason_it_holds_and_says_little(scale):
    """One Check, not eight: the ledger grows with decisions."""
    decision, checks = scale.weigh()
    assert (decision.kind, decision.note, decision.order) == ("hold", "no reason to retrain", None)
    assert list(checks) == ["trigger.failing_check"]
    assert checks["trigger.failing_check"].verdict is Verdict.PASS


def test_a_failing_quality_check_orders_a_retrain(scale):
    """The order answers both the monitor's Check and the trigger's, and is the fourth."""
    decision, checks = scale.weigh(failing=(scale.loss,))
    assert decision.kind == "retrain"
    assert set(decision.because) >= {scale.loss.id, checks["trigger.failing_check"].id}
    assert decision.order == RetrainOrder(
        model="toy", reason="failing check", as_of="2013-06-01T00:00:00.000000Z", number=4
    )
    assert "quality.loss is bad" in decision.note
    assert checks["trigger.failing_check"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("policy", "facts", "reason"),
    [
        (Policy(schedule="0 3 1 * *"), {}, "schedule"),
        (
            Policy(schedule="0 3 1 * *"),
            {"last_order": NOW - timedelta(hours=30), "failed_promotions": 0},
            None,
        ),
        (Policy(new_spans=30), {}, "new data"),
        (Policy(new_spans=30), {"new_spans": 29}, None),
        (Policy(), {"code_changed": True}, "code change"),
        (Policy(), {"code_changed": True, "new_rows": 0, "outcome_days": 0.0}, "code change"),
        (Policy(code_change=False), {"code_changed": True}, None),
        (Policy(), {"asked": "person"}, "person"),
        (Policy(), {"asked": "message", "last_order": NOW}, "message"),
    ],
)
def test_each_reason_by_itself(scale, policy, facts, reason):
    """Calendar, new data, new code and a word from outside."""
    decision, _ = scale.weigh(policy, **facts)
    assert (decision.order.reason if decision.order else None) == reason
    assert decision.because


def test_drift_alone_is_no_reason(scale):
    """Retraining on any drift bought nothing on real data; a project may list the rule all the same."""
    assert scale.weigh(failing=(scale.drift,))[0].kind == "hold"
    listed = Policy(reasons=("drift.location",))
    assert scale.weigh(listed, failing=(scale.drift,))[0].kind == "retrain"


@pytest.mark.parametrize(
    ("facts", "rule", "words"),
    [
        ({"in_flight": True}, "trigger.in_flight", "under way"),
        ({"last_order": NOW - timedelta(days=13)}, "trigger.cool_down", "13.0 days since the last order"),
        (
            {"last_order": NOW - timedelta(days=20), "failed_promotions": 1},
            "trigger.cool_down",
            "28.0 days is the least",
        ),
        ({"failed_promotions": 2}, "trigger.failures", "until a person looks"),
        ({"new_rows": 0}, "trigger.enough_data", "0 rows"),
        ({"outcome_days": 0.4}, "trigger.enough_data", "0.4 days of outcomes"),
        ({"quarantined": ("2013-05",)}, "trigger.enough_data", "quarantine (2013-05)"),
    ],
)
def test_each_guard_holds_back(scale, facts, rule, words):
    """The reason stands, the guard too: hold, with the guard's words."""
    decision, checks = scale.weigh(failing=(scale.loss,), **facts)
    assert decision.kind == "hold"
    assert words in decision.note
    assert checks[rule].verdict is Verdict.FAIL
    assert checks[rule].id in decision.because
    assert decision.order is None


def test_broken_data_block_training(scale):
    """Missing values in a column block; the family's summary and other drift do not."""
    blocked, _ = scale.weigh(failing=(scale.loss, scale.gap))
    assert blocked.kind == "hold"
    assert "must not learn" in blocked.note
    assert scale.weigh(failing=(scale.loss, scale.family, scale.drift))[0].kind == "retrain"


def test_the_cool_down_covers_the_label_delay_and_the_canary(scale):
    """A short one is lengthened until it can be known whether the last retrain helped."""
    short = Policy(cool_down=timedelta(days=1), label_delay=timedelta(days=5), canary=timedelta(days=2))
    early = scale.weigh(short, failing=(scale.loss,), last_order=NOW - timedelta(days=6))[0]
    late = scale.weigh(short, failing=(scale.loss,), last_order=NOW - timedelta(days=8))[0]
    assert (early.kind, late.kind) == ("hold", "retrain")


def test_who_asks_is_still_told_that_one_is_under_way(scale):
    """A person overrules the cool-down, and not the work that is being done."""
    decision, checks = scale.weigh(asked="person", in_flight=True)
    assert decision.kind == "hold"
    assert "trigger.cool_down" not in checks


def test_a_bad_calendar_is_an_error(scale):
    """It names the setting and shows a good one."""
    with pytest.raises(UsageError, match=r"trigger\.schedule: 'often'"):
        scale.weigh(Policy(schedule="often"))


def test_an_order_is_kept_as_an_artifact(scale):
    """The step that decides to retrain makes it."""
    decision, _ = scale.weigh(failing=(scale.loss,))
    done = scale.bench.run(CARD, "retrain", lambda work: decide_retrain(work, decision.order))
    assert scale.bench.store.read(done.first("retrain-order").id, RetrainOrder) == decision.order
