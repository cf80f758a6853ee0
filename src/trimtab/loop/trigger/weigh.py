"""Weighing: whether there is a reason to retrain, and whether anything speaks against it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check, Limit, Reading, Verdict
from trimtab.atoms.content.retrain_order import RetrainOrder
from trimtab.atoms.error import UsageError
from trimtab.atoms.instant import iso
from trimtab.engine.work import Work
from trimtab.loop.trigger.policy import Policy

_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a model at one moment of its own time."""

    model: str
    now: datetime
    #: Artifact that is judged: the newest window, or the traffic plan.
    subject: str
    #: Orders so far, the moment of the last one, and whether it is still being worked on.
    orders: int = 0
    last_order: datetime | None = None
    in_flight: bool = False
    #: Challengers in a row that were refused or rolled back since the last promotion.
    failed_promotions: int = 0
    #: Event time up to which the champion was trained.
    trained_until: datetime | None = None
    #: Validated spans and rows since then, and days of outcomes since then.
    new_spans: int = 0
    new_rows: int = 0
    outcome_days: float = 0.0
    #: The monitor's failed Checks of the newest window.
    failing: tuple[Check, ...] = ()
    #: Whether the project's code differs from the champion's.
    code_changed: bool = False
    #: Spans that stand in quarantine and are newer than the training.
    quarantined: tuple[str, ...] = ()
    #: `message` or `person`, where someone asks: calendar, cool-down and failures then do not count.
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the weighing came to."""

    #: `retrain` or `hold`.
    kind: str
    #: Ids of the Checks that it answers.
    because: tuple[str, ...]
    note: str
    #: The order to be kept with `decide_retrain`; None on hold.
    order: RetrainOrder | None = None


def weigh(work: Work, facts: Facts, policy: Policy) -> Decision:
    """Judge the reasons to retrain, and where there is one, what speaks against it.

    A reason that stands is a FAIL of its rule: something is not as it should be. A guard that holds back is a
    FAIL too. Without a reason one Check says so, and nothing else is recorded.

    Raises:
        UsageError: The schedule is no cron pattern.
    """
    rules = work.rules("trigger", policy.settings())
    reasons = _reasons(work, facts, policy, rules)
    if not reasons and not facts.asked:
        calm = _judge(
            work, facts, rules, "trigger.failing_check", False, 0.0, "checks", "no reason to retrain"
        )
        work.note = calm.says
        return Decision("hold", (calm.id,), calm.says)
    guards = _guards(work, facts, policy, rules)
    against = [check for check in guards if check.verdict is not Verdict.PASS]
    because = tuple(check.id for check in (*reasons.values(), *against, *(() if reasons else guards)))
    because += tuple(check.id for check in facts.failing if _is_reason(check, policy) and not against)
    if against:
        work.note = "; ".join(check.says for check in against)
        return Decision("hold", tuple(dict.fromkeys(because)), work.note)
    reason = facts.asked or next(iter(reasons))
    words = next((check.says for check in reasons.values()), f"asked for by a {facts.asked}")
    number = facts.orders + 1
    work.note = f"order {number}: {words}"
    order = RetrainOrder(model=facts.model, reason=reason, as_of=iso(facts.now), number=number)
    return Decision("retrain", tuple(dict.fromkeys(because)), work.note, order)


def decide_retrain(work: Work, order: RetrainOrder) -> Artifact:
    """Keep an order: a new model is wanted."""
    work.note = f"order {order.number} for {order.model}: {order.reason}"
    return work.keep(order)


def next_due(schedule: str, after: datetime) -> datetime:
    """When a calendar falls due next.

    Raises:
        UsageError: `schedule` is no cron pattern.

    >>> from datetime import UTC
    >>> next_due("0 3 * * 1", datetime(2013, 1, 1, tzinfo=UTC)).isoformat()
    '2013-01-07T03:00:00+00:00'
    """
    try:
        return next(CronSim(schedule, after))
    except (CronSimError, StopIteration) as error:
        raise UsageError(
            f"trigger.schedule: {schedule!r} is no cron pattern ({error}); "
            "write five fields, as in '0 3 * * 1'"
        ) from error


def _reasons(work: Work, facts: Facts, policy: Policy, rules: Artifact) -> dict[str, Check]:
    """The reasons that stand, by the word that an order carries, the weightiest first."""
    found: dict[str, Check] = {}
    failing = [check for check in facts.failing if _is_reason(check, policy)]
    if failing:
        words = "; ".join(f"{check.name}: {check.says}" for check in failing)
        found["failing check"] = _judge(
            work, facts, rules, "trigger.failing_check", True, float(len(failing)), "checks", words
        )
    if policy.code_change and facts.code_changed:
        words = "the project's code is not the code that the champion was trained with"
        found["code change"] = _judge(work, facts, rules, "trigger.code_change", True, 1.0, "changes", words)
    since = facts.last_order or facts.trained_until
    if policy.schedule and since is not None:
        due = next_due(policy.schedule, since)
        if due <= facts.now:
            late = (facts.now - due).total_seconds() / _DAY
            words = f"the calendar ({policy.schedule}) was due on {due:%Y-%m-%d %H:%M}"
            found["schedule"] = _judge(work, facts, rules, "trigger.schedule", True, late, "days", words)
    if policy.new_spans and facts.new_spans >= policy.new_spans:
        words = f"{facts.new_spans} new spans have come since the training, {policy.new_spans} are a reason"
        found["new data"] = _judge(
            work, facts, rules, "trigger.new_data", True, float(facts.new_spans), "spans", words
        )
    return found


def _guards(work: Work, facts: Facts, policy: Policy, rules: Artifact) -> list[Check]:
    """What may hold a retrain back; who asks for one is not told to wait."""
    guards = [_in_flight(work, facts, rules), _enough_data(work, facts, policy, rules)]
    if not facts.asked:
        guards += [_cool_down(work, facts, policy, rules), _failures(work, facts, policy, rules)]
    return guards


def _in_flight(work: Work, facts: Facts, rules: Artifact) -> Check:
    says = "a retrain of this model is under way" if facts.in_flight else "no retrain is under way"
    value = float(facts.in_flight)
    return _judge(work, facts, rules, "trigger.in_flight", facts.in_flight, value, "retrains", says)


def _enough_data(work: Work, facts: Facts, policy: Policy, rules: Artifact) -> Check:
    blocking = [check for check in facts.failing if check.name in policy.blocks and check.about]
    few = facts.new_rows < policy.min_rows or facts.outcome_days < policy.min_outcome_days
    if facts.quarantined:
        named = ", ".join(facts.quarantined[:5])
        says = f"the newest data stand in quarantine ({named}): repair or release them first"
    elif blocking:
        named = "; ".join(check.says for check in blocking)
        says = f"the data are broken, and a model must not learn from them: {named}"
    elif few and not facts.code_changed:
        says = (
            f"{facts.new_rows:,} rows and {facts.outcome_days:.1f} days of outcomes since the training: "
            f"{policy.min_rows:,} and {policy.min_outcome_days:g} are needed"
        )
    else:
        says = f"{facts.new_rows:,} rows and {facts.outcome_days:.1f} days of outcomes to learn from"
    stands = bool(facts.quarantined or blocking or (few and not facts.code_changed))
    return _judge(work, facts, rules, "trigger.enough_data", stands, float(facts.new_rows), "rows", says)


def _cool_down(work: Work, facts: Facts, policy: Policy, rules: Artifact) -> Check:
    """After a promotion that failed the wait doubles: retraining that does not help is no help twice."""
    least = max(policy.cool_down, policy.label_delay + policy.canary) * 2 ** min(facts.failed_promotions, 8)
    since = None if facts.last_order is None else facts.now - facts.last_order
    if since is None:
        return _judge(
            work, facts, rules, "trigger.cool_down", False, None, "days", "there was no order before"
        )
    says = f"{_days(since)} since the last order, {_days(least)} is the least"
    value = since.total_seconds() / _DAY
    return _judge(work, facts, rules, "trigger.cool_down", since < least, value, "days", says)


def _failures(work: Work, facts: Facts, policy: Policy, rules: Artifact) -> Check:
    stands = facts.failed_promotions >= policy.max_failures
    says = f"{facts.failed_promotions} promotions in a row have failed"
    if stands:
        says += f", {policy.max_failures} are the limit: the champion stays until a person looks"
    value = float(facts.failed_promotions)
    return _judge(work, facts, rules, "trigger.failures", stands, value, "promotions", says)


def _judge(
    work: Work,
    facts: Facts,
    rules: Artifact,
    rule: str,
    stands: bool,
    value: float | None,
    unit: str,
    says: str,
) -> Check:
    return work.judge(
        rule,
        rules,
        facts.subject,
        reading=Reading(value=value, unit=unit),
        limit=Limit(),
        verdict=Verdict.FAIL if stands else Verdict.PASS,
        says=says,
    )


def _is_reason(check: Check, policy: Policy) -> bool:
    return check.verdict is Verdict.FAIL and check.name in policy.reasons


def _days(span: timedelta) -> str:
    return f"{span.total_seconds() / _DAY:.1f} days"
