"""Weighing whether to retrain, on what the views know."""

from datetime import datetime

from trimtab.assembly.ancestry import table_of
from trimtab.assembly.data_steps import model_code, quarantined_spans, usable_spans
from trimtab.assembly.monitor_steps import failing_checks
from trimtab.assembly.session import Session
from trimtab.atoms.content.bundle import Bundle
from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.instant import parse_instant
from trimtab.engine.work import Work
from trimtab.loop import trigger as stage
from trimtab.loop.trigger.policy import Policy
from trimtab.loop.trigger.weigh import Decision, Facts, decide_retrain, next_due, weigh
from trimtab.spec.duration import parse_duration
from trimtab.spec.model import ModelSpec
from trimtab.views.retrain import PROMOTED, REFUSED, ROLLED_BACK
from trimtab.views.window import WindowState


class Trigger:
    """Weighs one model's reasons whenever one of them may have changed."""

    def __init__(self, session: Session, spec: ModelSpec) -> None:
        self._session = session
        self._spec = spec
        settings = session.project.settings.trigger
        self._policy = Policy(
            schedule=settings.schedule,
            new_spans=settings.new_spans,
            code_change=settings.code_change,
            cool_down=parse_duration(settings.cool_down, "trigger.cool_down"),
            label_delay=parse_duration(spec.label_delay, "label_delay"),
            max_failures=settings.max_failures,
        )
        self._weighed: tuple[object, ...] = ()

    def weigh(self, windows: list[WindowState], asked: str = "") -> list[str]:
        """Order a retrain or hold; returns what is worth telling.

        Args:
            windows: The judged windows, oldest first.
            asked: `person` or `message`, where someone asks for it.
        """
        facts = self._facts(windows, asked)
        if facts is None or facts.in_flight:
            return []
        seen = self._changes(facts)
        if seen == self._weighed and not asked:
            return []
        decision = self._decide(facts)
        self._weighed = seen
        if decision.order is None:
            self._hold(facts, decision)
            return []
        order = decision.order
        done = self._session.run(
            stage.CARD,
            "retrain",
            self._spec.name,
            lambda work: decide_retrain(work, order) and None,
            took=[facts.subject],
            because=decision.because,
            parameters={"number": order.number, "as_of": order.as_of},
            note=decision.note,
        )
        return [f"trigger: {decision.note}" if decision.note else done.note]

    def _decide(self, facts: Facts) -> Decision:
        found: list[Decision] = []

        def work(work: Work) -> None:
            found.append(weigh(work, facts, self._policy))

        self._session.run(
            stage.CARD,
            "weigh",
            self._spec.name,
            work,
            took=[facts.subject],
            because=[check.id for check in facts.failing],
            parameters={"now": facts.now.isoformat()},
            remembered=False,
        )
        return found[0]

    def _hold(self, facts: Facts, decision: Decision) -> None:
        """Record that a reason stood and was held back; calm is no decision."""
        if not facts.failing and not facts.asked:
            return
        self._session.run(
            stage.CARD,
            "hold",
            self._spec.name,
            lambda work: None,
            took=[facts.subject],
            because=decision.because,
            parameters={"now": facts.now.isoformat()},
            note=decision.note,
        )

    def _facts(self, windows: list[WindowState], asked: str) -> Facts | None:
        session, spec = self._session, self._spec
        state = session.memory.releases.plan(spec.name)
        if state is None:
            return None
        manifest = session.store.read(state.plan.champion, Bundle).manifest
        table = session.store.read(table_of(session, manifest.trained), FeatureTable)
        moments = [parse_instant(span.last) for span in table.spans if span.last]
        until = max(moments) if moments else None
        known = {span.name for span in table.spans}
        states = session.memory.spans.state(spec.rows.name)
        fresh = [span for span in usable_spans(session, spec.rows) if span not in known]
        orders = session.memory.retrains.all(spec.name)
        newest = windows[-1] if windows else None
        return Facts(
            model=spec.name,
            now=session.store.now(),
            subject=newest.artifact_id if newest else state.artifact_id,
            orders=len(orders),
            last_order=parse_instant(orders[-1].as_of) if orders else None,
            in_flight=session.memory.retrains.open(spec.name) is not None
            or state.plan.challenger is not None,
            failed_promotions=_failures([order.outcome for order in orders]),
            trained_until=until,
            new_spans=len(fresh),
            new_rows=sum(states[span].rows for span in fresh),
            outcome_days=_outcome_days(windows, until),
            failing=tuple(failing_checks(newest)) if newest else (),
            code_changed=manifest.code != model_code(session, spec),
            quarantined=tuple(span for span in quarantined_spans(session, spec.rows) if span not in known),
            asked=asked,
        )

    def _changes(self, facts: Facts) -> tuple[object, ...]:
        """What would make another weighing worth its place in the ledger."""
        due = None
        since = facts.last_order or facts.trained_until
        if self._policy.schedule and since is not None:
            due = next_due(self._policy.schedule, since) <= facts.now
        return (facts.subject, facts.new_spans, facts.new_rows, facts.code_changed, facts.orders, due)


def _failures(outcomes: list[str]) -> int:
    """Challengers in a row that did not make it, counted from the newest."""
    count = 0
    for outcome in reversed(outcomes):
        if outcome == PROMOTED:
            break
        count += outcome in (REFUSED, ROLLED_BACK)
    return count


def _outcome_days(windows: list[WindowState], until: datetime | None) -> float:
    """Days of windows with outcomes since the training."""
    days = [
        (parse_instant(window.last) - parse_instant(window.first)).total_seconds() / 86400
        for window in windows
        if window.outcomes and (until is None or parse_instant(window.first) >= until)
    ]
    return float(sum(days))
