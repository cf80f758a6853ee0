"""One turn of one model's loop: watch, release, weigh, rebuild. What was begun is finished first."""

from trimtab.assembly.build import Built, build
from trimtab.assembly.monitor_steps import REACH, WindowJudge
from trimtab.assembly.release_steps import Releaser
from trimtab.assembly.served_log import ServedLog
from trimtab.assembly.session import Session
from trimtab.assembly.trigger_steps import Trigger
from trimtab.atoms.instant import parse_instant
from trimtab.ports.executor import Executor
from trimtab.spec.model import ModelSpec


class Loop:
    """Turns when it is told to; all it knows is in the ledger and the streams, so a successor can go on."""

    def __init__(self, session: Session, spec: ModelSpec, executor: Executor) -> None:
        self.spec = spec
        self.log = ServedLog(session.store.streams, spec.name, event_time=spec.rows.event_time)
        self._session = session
        self._executor = executor
        self._judge = WindowJudge(session, spec, self.log)
        self._releaser = Releaser(session, spec, self.log)
        self._trigger = Trigger(session, spec)

    def turn(self) -> list[str]:
        """Judge what is due, move a release on, and retrain where that is wanted; returns what is worth telling."""
        self._session.memory.refresh()
        self._forget_judged()
        self.log.refresh()
        lines = self._judge.judge_due()
        lines += self._releaser.advance()
        lines += self._trigger.weigh(self._judge.windows())
        lines += self._answer_order()
        return lines

    def build(self, *, order: str | None = None) -> Built:
        """Build a challenger in a process of its own."""
        return build(self._executor, self._session, self.spec.name, order=order)

    def release(self, built: Built) -> list[str]:
        """Begin the release of what was built."""
        if built.version is None:
            return []
        return self._releaser.begin(built.version)

    def _forget_judged(self) -> None:
        """Let the log hold nothing that no window, and no release on its way, will ask for again."""
        windows = self._judge.windows()
        if not windows:
            return
        needed = parse_instant(windows[-1].last) - REACH
        state = self._session.memory.releases.plan(self.spec.name)
        if state is not None and state.plan.challenger is not None:
            needed = min(needed, parse_instant(state.since))
        self.log.forget_before(needed)

    def _answer_order(self) -> list[str]:
        """Build what the newest open order asks for, and begin its release when no other one is on its way."""
        order = self._session.memory.retrains.open(self.spec.name)
        plan = self._session.memory.releases.plan(self.spec.name)
        if order is None or plan is None or plan.plan.challenger is not None:
            return []
        if order.bundle is not None and self._releaser.has_begun(order.bundle):
            return []
        built = self.build(order=order.order)
        if not built.ok:
            return [f"retrain {order.number} refused: {built.note}"]
        return [f"retrain {order.number}: version {built.version}; {built.gate}", *self.release(built)]
