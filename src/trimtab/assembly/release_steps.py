"""Releases: a version goes through shadow and canary to all traffic, or back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from trimtab.assembly.served_log import ServedLog
from trimtab.assembly.session import Session
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check
from trimtab.atoms.error import UsageError
from trimtab.atoms.instant import iso, parse_instant
from trimtab.engine.work import Work
from trimtab.loop import monitor as monitor_stage
from trimtab.loop import release as stage
from trimtab.loop.monitor.seal import seal
from trimtab.loop.release.decision import ReleaseState, decide_release
from trimtab.loop.release.judge import judge_canary, judge_first, judge_shadow
from trimtab.loop.release.plan import (
    Candidate,
    decide_canary,
    decide_first,
    decide_promote,
    decide_roll_back,
    decide_shadow,
    next_phase,
)
from trimtab.loop.release.policy import Policy
from trimtab.spec.duration import parse_duration
from trimtab.spec.model import ModelSpec
from trimtab.views.release import PlanState, Version

Words = list[str]

#: Traffic is looked at when a stage's least number of requests has come, or after this long.
LOOK = timedelta(minutes=1)


class Releaser:
    """Moves the release of one model on, by the evidence of its own traffic."""

    def __init__(self, session: Session, spec: ModelSpec, log: ServedLog) -> None:
        self._session = session
        self._spec = spec
        self._log = log
        self._policy = release_policy(session)

    def begin(self, version: int) -> Words:
        """Start the release of a version: at once where there is no champion, else with the first step."""
        candidate = _candidate(self._session, self._spec.name, version)
        state = self._state()
        if state is None:
            return _first(self._session, self._spec, candidate)
        if candidate.bundle in (state.plan.champion, state.plan.challenger):
            return []
        if state.plan.challenger is not None:
            raise UsageError(
                f"version {state.plan.challenger_version} of {self._spec.name!r} is still on its way: one release at a "
                "time; wait, or take it out with `trimtab release --to back`"
            )
        return self._next(state, candidate, because=())

    def has_begun(self, bundle: str) -> bool:
        """Whether a bundle was ever given traffic."""
        history = self._session.memory.releases.history(self._spec.name)
        return any(bundle in (state.plan.champion, state.plan.challenger) for state in history)

    def advance(self) -> Words:
        """Judge the traffic since the last look, and go on, hold or go back as it says."""
        state = self._state()
        if state is None or state.plan.challenger is None:
            return []
        windows = self._windows(state)
        if not windows:
            return []
        checks = self._judge(state, windows)
        elapsed = (self._session.store.now() - parse_instant(state.since)).total_seconds()
        decision = decide_release(
            checks, self._policy, ReleaseState(state.plan.stage, state.plan.share, elapsed)
        )
        if decision.kind == "roll-back":
            return self._act(
                state,
                "roll-back",
                lambda work: decide_roll_back(work, plan_id=state.artifact_id),
                because=decision.because,
                note=decision.note,
            )
        if decision.kind == "advance":
            return self._next(state, None, because=decision.because)
        return []

    def _state(self) -> PlanState | None:
        return self._session.memory.releases.plan(self._spec.name)

    def _next(self, state: PlanState, candidate: Candidate | None, because: tuple[str, ...]) -> Words:
        phase = next_phase(state.plan, self._policy.steps)
        plan = state.artifact_id
        makers: dict[str, Callable[[Work], Artifact]] = {
            "shadow": lambda work: decide_shadow(work, plan_id=plan, candidate=_given(candidate)),
            "canary": lambda work: decide_canary(work, plan_id=plan, share=phase.share, candidate=candidate),
            "promote": lambda work: decide_promote(work, plan_id=plan, candidate=candidate),
        }
        bundles = [candidate.bundle] if candidate else []
        return self._act(state, phase.kind, makers[phase.kind], because=because, took=bundles)

    def _windows(self, state: PlanState) -> list[str]:
        """Traffic since the plan holds, sealed in as many windows as there were looks."""
        session, name = self._session, self._spec.name
        sealed = [
            window
            for window in session.memory.windows.of(name)
            if window.span.startswith(_label(state)) and window.first >= state.since
        ]
        first = parse_instant(sealed[-1].last) if sealed else parse_instant(state.since)
        last = session.store.now()
        count = self._log.count(first, last)
        if count and (count >= self._policy.min_requests or last - first >= LOOK):
            records = self._log.requests(first, last)
            done = session.run(
                monitor_stage.CARD,
                "monitor",
                name,
                lambda work: _seal_traffic(work, self._spec, self._log, records, first, last, state),
                took=[state.artifact_id],
                parameters={"traffic": iso(first), "last": iso(last)},
            )
            sealed_now = done.first("window").id
            if sealed_now not in [window.artifact_id for window in sealed]:
                return [*(window.artifact_id for window in sealed), sealed_now]
        return [window.artifact_id for window in sealed]

    def _judge(self, state: PlanState, windows: list[str]) -> tuple[Check, ...]:
        judge = judge_shadow if state.plan.stage == "shadow" else judge_canary
        done = self._session.run(
            stage.CARD,
            "judge",
            self._spec.name,
            lambda work: judge(work, plan_id=state.artifact_id, windows=windows, policy=self._policy),
            took=[state.artifact_id, *windows],
            parameters={"policy": self._policy.settings()},
        )
        return done.checks

    def _act(
        self,
        state: PlanState,
        kind: str,
        maker: Callable[[Work], Artifact],
        *,
        because: tuple[str, ...],
        took: list[str] | None = None,
        note: str = "",
    ) -> Words:
        done = self._session.run(
            stage.CARD,
            kind,
            self._spec.name,
            lambda work: _noted(work, maker, note),
            took=[state.artifact_id, *(took or [])],
            because=because,
            parameters={"after": state.action},
            note=note,
        )
        return [f"release: {done.note}"]


def release_version(
    session: Session,
    spec: ModelSpec,
    *,
    version: int,
    to: Literal["shadow", "canary", "full"],
    note: str = "",
) -> Words:
    """A person sends a version to a stage, past the steps of the plan."""
    candidate = _candidate(session, spec.name, version)
    state = session.memory.releases.plan(spec.name)
    if state is None:
        return _first(session, spec, candidate)
    plan = state.artifact_id
    steps = [
        step for step in session.project.settings.release.steps if not isinstance(step, str) and step < 1
    ]
    share = min(steps, default=0.1)
    makers: dict[str, Callable[[Work], Artifact]] = {
        "shadow": lambda work: decide_shadow(work, plan_id=plan, candidate=candidate),
        "canary": lambda work: decide_canary(work, plan_id=plan, share=share, candidate=candidate),
        "full": lambda work: decide_promote(work, plan_id=plan, candidate=candidate),
    }
    done = session.run(
        stage.CARD,
        "promote" if to == "full" else to,
        spec.name,
        lambda work: _noted(work, makers[to], note),
        took=[plan, candidate.bundle],
        parameters={"after": state.action},
        note=note,
    )
    return [f"release: {done.note}"]


def roll_back(session: Session, spec: ModelSpec, *, note: str = "") -> Words:
    """A person takes the challenger out, or brings the champion before the present one back."""
    state = session.memory.releases.plan(spec.name)
    if state is None:
        raise UsageError(f"model {spec.name!r} was never released: there is nothing to go back from")
    to = None
    if state.plan.challenger is None:
        before = [
            number
            for number in session.memory.releases.champions(spec.name)
            if number != state.plan.champion_version
        ]
        if not before:
            raise UsageError(f"model {spec.name!r} has had one champion only: there is none to go back to")
        to = _candidate(session, spec.name, before[-1])
    done = session.run(
        stage.CARD,
        "roll-back",
        spec.name,
        lambda work: _noted(
            work, lambda inner: decide_roll_back(inner, plan_id=state.artifact_id, to=to), note
        ),
        took=[state.artifact_id, *([to.bundle] if to else [])],
        parameters={"after": state.action},
        note=note,
    )
    return [f"release: {done.note}"]


def _label(state: PlanState) -> str:
    """How the windows of a release's traffic are called: by who is tried and how."""
    return f"v{state.plan.challenger_version} {state.plan.stage} {state.plan.share:.0%}"


def _first(session: Session, spec: ModelSpec, candidate: Candidate) -> Words:
    policy = release_policy(session)
    judged = session.run(
        stage.CARD,
        "judge",
        spec.name,
        lambda work: judge_first(work, bundle_id=candidate.bundle, policy=policy),
        took=[candidate.bundle],
        parameters={"policy": policy.settings()},
    )
    done = session.run(
        stage.CARD,
        "promote",
        spec.name,
        lambda work: _noted(
            work, lambda inner: decide_first(inner, model=spec.name, candidate=candidate), ""
        ),
        took=[candidate.bundle],
        because=[check.id for check in judged.checks],
    )
    return [f"release: {done.note}"]


def release_policy(session: Session) -> Policy:
    """The project's settings as the stage's policy."""
    settings = session.project.settings.release
    return Policy(
        steps=settings.steps,
        min_requests=settings.min_requests,
        stage_seconds=parse_duration(settings.stage_time, "release.stage_time").total_seconds(),
    )


def _candidate(session: Session, model: str, version: int) -> Candidate:
    found: Version | None = next(
        (each for each in session.memory.releases.versions(model) if each.number == version), None
    )
    if found is None:
        raise UsageError(f"model {model!r} has no version {version}: see `trimtab models`")
    return Candidate(bundle=found.bundle, version=found.number)


def _given(candidate: Candidate | None) -> Candidate:
    if candidate is None:
        raise UsageError("a shadow needs a version")
    return candidate


def _noted(work: Work, maker: Callable[[Work], Artifact], note: str) -> None:
    maker(work)
    if note:
        work.note = f"{work.note}: {note}"


def _seal_traffic(
    work: Work,
    spec: ModelSpec,
    log: ServedLog,
    records: list[bytes],
    first: datetime,
    last: datetime,
    state: PlanState,
) -> None:
    seal(
        work,
        model=spec.name,
        records=records,
        outcomes=log.outcomes,
        first=first,
        last=last,
        span=f"{_label(state)} until {iso(last)[:16]}",
        key=spec.rows.key,
        event_time=spec.rows.event_time,
    )
