"""Windows: sealed when they are due, judged, and answered by an alert."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from trimtab.assembly.ancestry import table_of
from trimtab.assembly.served_log import ServedLog
from trimtab.assembly.session import Session
from trimtab.atoms.check import Check, Verdict
from trimtab.atoms.content.bundle import Bundle
from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.instant import iso, parse_instant
from trimtab.engine.step import Done
from trimtab.engine.work import Work
from trimtab.loop import monitor as stage
from trimtab.loop.monitor.alert import decide_alert
from trimtab.loop.monitor.drift_shelf import DriftShelf
from trimtab.loop.monitor.judge_drift import judge_drift
from trimtab.loop.monitor.judge_quality import PastWindow, Shelf, judge_quality
from trimtab.loop.monitor.judge_serving import judge_serving
from trimtab.loop.monitor.policy import Policy
from trimtab.loop.monitor.reference import build_reference, span_name
from trimtab.loop.monitor.seal import seal
from trimtab.spec.duration import parse_duration
from trimtab.spec.model import ModelSpec
from trimtab.views.window import WindowState

#: Rules by which inputs moved.
MOVED = ("drift.location", "drift.shape", "drift.alien")
#: Past windows that a judgement may look back on.
_PAST = 60
#: Windows without a finding after which the same finding is a new incident.
INCIDENT_WINDOWS = 3
#: Windows without a row after which there is nothing more to say until somebody asks again.
SILENT_WINDOWS = 3
#: How far before a window a request may begin whose later rows fall into it.
REACH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Due:
    """A window that is to be judged, and by what."""

    first: datetime
    last: datetime
    bundle_id: str
    reference_id: str
    #: Event time of the newest row that the bundle learnt from.
    trained_until: datetime | None


class WindowJudge:
    """Seals and judges the windows of one model, one after the other."""

    def __init__(self, session: Session, spec: ModelSpec, log: ServedLog) -> None:
        self._session = session
        self._spec = spec
        self._log = log
        self._shelf: Shelf = {}
        self._drift_shelf = DriftShelf()
        settings = session.project.settings.monitor
        self._every = parse_duration(settings.window, "monitor.window")
        self._delay = parse_duration(spec.label_delay, "label_delay")
        self._policy = Policy(
            windows_per_false_alarm=settings.windows_per_false_alarm,
            max_bias=settings.max_bias,
            bias_windows=settings.bias_windows,
        )

    def judge_due(self) -> list[str]:
        """Seal and judge every window whose end and label delay are past; returns what is worth telling."""
        lines = []
        while (
            first := self._next()
        ) is not None and first + self._every + self._delay <= self._session.store.now():
            if self._session.memory.releases.plan(self._spec.name) is None:
                break
            done = self._judge(first)
            lines += self._alert(done, span_name(iso(first), self._every))
        return lines

    def windows(self) -> list[WindowState]:
        """The judged windows, oldest first (windows sealed for a release are not among them)."""
        return [each for each in self._session.memory.windows.of(self._spec.name) if each.profile is not None]

    def _next(self) -> datetime | None:
        """Start of the first window that is not judged yet; None before the first request, and in a long silence.

        Silence is told by some windows without rows; after these the next window is the one of the next request.
        """
        windows = self.windows()
        if not windows:
            return self._start(self._log.first())
        following = parse_instant(windows[-1].last)
        silent = len(windows) >= SILENT_WINDOWS and not any(each.rows for each in windows[-SILENT_WINDOWS:])
        return self._start(self._log.first_after(following)) if silent else following

    def _start(self, moment: datetime | None) -> datetime | None:
        """Start of the window that a moment falls into."""
        if moment is None:
            return None
        seconds = self._every.total_seconds()
        return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)

    def _judge(self, first: datetime) -> Done:
        bundle_id = self._judged_bundle(first, first + self._every)
        reference, table = self._reference(bundle_id)
        due = _Due(
            first=first,
            last=first + self._every,
            bundle_id=bundle_id,
            reference_id=reference,
            trained_until=_trained_until(self._session, table),
        )
        return self._session.run(
            stage.CARD,
            "monitor",
            self._spec.name,
            lambda work: self._seal_and_judge(work, due),
            took=[bundle_id, reference],
            parameters={"first": iso(due.first), "last": iso(due.last), "policy": self._policy.settings()},
        )

    def _seal_and_judge(self, work: Work, due: "_Due") -> None:
        spec = self._spec
        windows = self.windows()[-_PAST:]
        window = seal(
            work,
            model=spec.name,
            records=self._log.requests(due.first - REACH, due.last),
            outcomes=self._log.outcomes,
            first=due.first,
            last=due.last,
            span=span_name(iso(due.first), self._every),
            key=spec.rows.key,
            event_time=spec.rows.event_time,
        )
        judge_drift(
            work,
            window_id=window.id,
            bundle_id=due.bundle_id,
            reference_id=due.reference_id,
            past=[
                each.profile for each in self._usual(windows) if each.profile and _served(each, due.bundle_id)
            ],
            policy=self._policy,
            shelf=self._drift_shelf,
        )
        judge_quality(
            work,
            window_id=window.id,
            bundle_id=due.bundle_id,
            past=[PastWindow(each.artifact_id, alarmed=_failed(each, ("quality.loss",))) for each in windows],
            metrics=spec.metrics,
            policy=self._policy,
            shelf=self._shelf,
        )
        judge_serving(
            work,
            window_id=window.id,
            bundle_id=due.bundle_id,
            trained_until=due.trained_until,
            policy=self._policy,
        )

    def _usual(self, windows: list[WindowState]) -> list[WindowState]:
        """The windows that later ones are held against.

        A window with a fault in its data is never among them. One that moved waits outside: unless a person calls it
        an incident, it is the new normal once `rebase_windows` have passed, so that a season is told once and not
        every day.
        """
        known = len(windows) - self._session.project.settings.monitor.rebase_windows
        return [
            window
            for place, window in enumerate(windows)
            if not _lacks(window) and (place < known or not _failed(window, MOVED))
        ]

    def _judged_bundle(self, first: datetime, last: datetime) -> str:
        """The champion during the window: of the plans in force at its end, the newest."""
        history = self._session.memory.releases.history(self._spec.name)
        before = [state for state in history if parse_instant(state.since) < last]
        return (before or history)[-1 if before else 0].plan.champion

    def _reference(self, bundle_id: str) -> tuple[str, str]:
        """Artifact ids of the bundle's reference and of the feature table that it was trained on."""
        session = self._session
        table = table_of(session, session.store.read(bundle_id, Bundle).manifest.trained)
        done = session.run(
            stage.CARD,
            "monitor",
            self._spec.name,
            lambda work: build_reference_of(work, bundle_id, table, self._every),
            took=[bundle_id, table],
            parameters={"reference": self._every.total_seconds()},
        )
        return done.first("reference").id, table

    def _alert(self, done: Done, span: str) -> list[str]:
        """Notify once an incident: what failed in one of the last windows already is the same incident."""
        alert = decide_alert(done.checks)
        if alert is None:
            return []
        before = self.windows()[-1 - INCIDENT_WINDOWS : -1]
        known = {check.name for window in before for check in failing_checks(window)}
        if {check.name for check in done.with_verdict(Verdict.FAIL, Verdict.BROKEN)} <= known:
            return []
        self._session.run(
            stage.CARD,
            "alert",
            self._spec.name,
            lambda work: None,
            took=[done.first("window").id],
            because=alert.because,
            parameters={"severity": alert.severity},
            note=f"{alert.severity}: {alert.title}",
        )
        return (
            [f"monitor: {alert.severity}: {alert.title} (window {span})"] if alert.severity != "info" else []
        )


def build_reference_of(work: Work, bundle_id: str, table: str, every: timedelta) -> None:
    """The step that builds a reference."""
    build_reference(work, bundle_id=bundle_id, table_id=table, every=every)


def failing_checks(window: WindowState) -> list[Check]:
    """The monitor's Checks of a window that failed."""
    return [
        check
        for rule, checks in window.checks.items()
        for check in checks
        if check.verdict is Verdict.FAIL and rule in stage.CARD.judges
    ]


def _failed(window: WindowState, rules: tuple[str, ...]) -> bool:
    return any(check.verdict is Verdict.FAIL for rule in rules for check in window.checks.get(rule, ()))


def _lacks(window: WindowState) -> bool:
    """Whether a column's values went missing in the window: a fault, and never a new normal by itself."""
    return any(
        check.about and check.verdict is Verdict.FAIL for check in window.checks.get("drift.missing", ())
    )


def _served(window: WindowState, bundle_id: str) -> bool:
    return any(check.subjects.baseline == bundle_id for checks in window.checks.values() for check in checks)


def _trained_until(session: Session, table: str) -> datetime | None:
    spans = session.store.read(table, FeatureTable).spans
    moments = [parse_instant(span.last) for span in spans if span.last]
    return max(moments) if moments else None
