"""The ten verbs as a person calls them, one step of the loop at a time."""

from collections.abc import Sequence
from typing import Any, Literal

from trimtab.assembly.data_steps import featurize_model, ingest_source, materialize_view, validate_source
from trimtab.assembly.model_steps import (
    evaluate_model,
    newest_model,
    newest_table,
    register_model,
    train_model,
)
from trimtab.assembly.monitor_steps import WindowJudge, failing_checks
from trimtab.assembly.outcome import Outcome, check_facts, check_lines
from trimtab.assembly.project import Project
from trimtab.assembly.release_steps import Releaser, release_version, roll_back
from trimtab.assembly.served_log import ServedLog
from trimtab.assembly.session import Session, open_session
from trimtab.assembly.trigger_steps import Trigger
from trimtab.atoms.error import UsageError
from trimtab.spec.source import Source

To = Literal["shadow", "canary", "full", "back"]


def ingest(project: Project, source: str | None) -> Outcome:
    """Bring the files of one source, or of all, into snapshots."""
    return ingest_sources(project, _sources(project, source))


def ingest_sources(project: Project, sources: Sequence[Source]) -> Outcome:
    """Bring the files of these sources into snapshots."""
    outcome = Outcome("ingest")
    with open_session(project) as session:
        for each in sources:
            done = ingest_source(session, each)
            if done is None:
                outcome.lines.append(f"{each.name}: no file changed")
            else:
                outcome.add(done, each.name)
            outcome.facts[each.name] = session.memory.spans.snapshot(each.name)
    return outcome


def validate(project: Project, source: str | None) -> Outcome:
    """Judge the spans that were not judged yet."""
    outcome = Outcome("validate")
    with open_session(project) as session:
        for each in _sources(project, source):
            for done in validate_source(session, each):
                outcome.add(done, each.name)
            if (project.folder / each.path).is_dir():
                outcome.lines.append(f"{each.name}: a folder of files: it has no rows that could be judged")
                continue
            states = session.memory.spans.state(each.name)
            bad = [span for span, state in states.items() if state.quarantined]
            outcome.lines.append(
                f"{each.name}: {len(states)} spans, {len(bad)} quarantined{': ' if bad else ''}{', '.join(bad)}"
            )
            outcome.facts[each.name] = {"spans": len(states), "quarantined": bad}
    return outcome


def featurize(project: Project, model: str | None) -> Outcome:
    """Make the feature table of a model and put its views online."""
    outcome = Outcome("featurize")
    spec = project.model(model)
    with open_session(project) as session:
        outcome.add(featurize_model(session, spec), spec.name)
        for view in spec.views:
            done = materialize_view(session, view)
            if done is not None:
                outcome.add(done, f"view {view.name}")
    return outcome


def train(project: Project, model: str | None, fixed: dict[str, Any], trials: int | None) -> Outcome:
    """Fit a model on its newest feature table."""
    outcome = Outcome("train")
    spec = project.model(model)
    with open_session(project) as session:
        table = newest_table(session, spec)
        outcome.add(train_model(session, spec, table, fixed=fixed, trials=trials), spec.name)
    return outcome


def evaluate(project: Project, model: str | None) -> Outcome:
    """Score the newest trained model and let the gate decide."""
    outcome = Outcome("evaluate")
    spec = project.model(model)
    with open_session(project) as session:
        trained, table = newest_model(session, spec)
        blessing = evaluate_model(session, spec, trained, table)
        outcome.add(blessing.scored, spec.name)
        outcome.lines.append(blessing.note)
        outcome.ok = blessing.blessed
        outcome.facts["blessed"] = blessing.blessed
    return outcome


def register(project: Project, model: str | None) -> Outcome:
    """Compile, prove, pack and sign the newest model, where the gate blessed it."""
    outcome = Outcome("register")
    spec = project.model(model)
    with open_session(project) as session:
        trained, table = newest_model(session, spec)
        blessing = evaluate_model(session, spec, trained, table)
        if not blessing.blessed:
            outcome.ok = False
            outcome.lines.append(f"not registered: {blessing.note}")
            return outcome
        outcome.add(register_model(session, spec, blessing, table), spec.name)
        version = session.memory.releases.versions(spec.name)[-1]
        outcome.facts["version"], outcome.facts["bundle"] = version.number, version.bundle
    return outcome


def release(
    project: Project, model: str | None, *, version: int | None, to: To | None, force: bool, note: str
) -> Outcome:
    """Move a model's traffic: begin, go on, promote, or go back."""
    outcome = Outcome("release")
    spec = project.model(model)
    with open_session(project) as session:
        if to == "back":
            outcome.lines += roll_back(session, spec, note=note)
        elif to is not None or version is not None:
            chosen = version or _newest_version(session, spec.name)
            if to in ("canary", "full") and not force and session.memory.releases.plan(spec.name) is not None:
                raise UsageError(
                    f"--to {to} goes past the steps of the plan: add --force, and a --note that says why"
                )
            outcome.lines += release_version(session, spec, version=chosen, to=to or "shadow", note=note)
        else:
            log = ServedLog(session.store.streams, spec.name, event_time=spec.rows.event_time)
            log.refresh()
            releaser = Releaser(session, spec, log)
            plan = session.memory.releases.plan(spec.name)
            if plan is None or plan.plan.stage == "full":
                outcome.lines += releaser.begin(_newest_version(session, spec.name))
            else:
                outcome.lines += releaser.advance() or [
                    "the release stays where it is: not enough requests yet"
                ]
        state = session.memory.releases.plan(spec.name)
        if state is not None:
            outcome.facts.update(
                champion=state.plan.champion_version,
                challenger=state.plan.challenger_version,
                stage=state.plan.stage,
                share=state.plan.share,
            )
    return outcome


def monitor(project: Project, model: str | None) -> Outcome:
    """Seal and judge the windows that are due."""
    outcome = Outcome("monitor")
    spec = project.model(model)
    with open_session(project) as session:
        log = ServedLog(session.store.streams, spec.name, event_time=spec.rows.event_time)
        log.refresh()
        judge = WindowJudge(session, spec, log)
        before = len(judge.windows())
        outcome.lines += judge.judge_due()
        fresh = judge.windows()[before:]
        for window in fresh:
            failing = failing_checks(window)
            outcome.ok = outcome.ok and not failing
            outcome.lines.append(
                f"{window.span}: {window.rows} rows, {window.outcomes} outcomes, {len(failing)} checks failed"
            )
            outcome.lines += check_lines(failing)
            outcome.facts.setdefault("windows", []).append(
                {
                    "span": window.span,
                    "rows": window.rows,
                    "outcomes": window.outcomes,
                    "failed": check_facts(failing),
                }
            )
        if not fresh:
            outcome.lines.append(f"{spec.name}: no window is due; {before} were judged before")
    return outcome


def trigger(project: Project, model: str | None) -> Outcome:
    """Weigh whether to retrain; an order is built by the controller, or by `trimtab up`."""
    outcome = Outcome("trigger")
    spec = project.model(model)
    with open_session(project) as session:
        log = ServedLog(session.store.streams, spec.name, event_time=spec.rows.event_time)
        log.refresh()
        outcome.lines += Trigger(session, spec).weigh(WindowJudge(session, spec, log).windows())
        order = session.memory.retrains.open(spec.name)
        outcome.facts["order"] = order.order if order else None
        outcome.lines.append(
            f"{spec.name}: retrain {order.number} is ordered"
            if order
            else f"{spec.name}: no retrain is ordered"
        )
    return outcome


def _sources(project: Project, name: str | None) -> list[Source]:
    return [project.source(name)] if name else list(project.sources.values())


def _newest_version(session: Session, model: str) -> int:
    versions = session.memory.releases.versions(model)
    if not versions:
        raise UsageError(f"model {model!r} has no registered version: run `trimtab register`")
    return versions[-1].number
