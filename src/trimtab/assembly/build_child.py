"""A challenger, from feature table to signed bundle: featurize, train, evaluate, register; runs in a child process."""

from pathlib import Path
from typing import Any

import msgspec

from trimtab.adapters.replay_clock import ReplayClock
from trimtab.assembly.build import Built
from trimtab.assembly.data_steps import featurize_model, materialize_view
from trimtab.assembly.model_steps import evaluate_model, register_model, train_model
from trimtab.assembly.project import open_project
from trimtab.assembly.session import Session, open_session, progress
from trimtab.atoms.check import Check, Verdict
from trimtab.atoms.error import TrimtabError
from trimtab.atoms.instant import parse_instant
from trimtab.loop import evaluate as stage


def build_here(
    *,
    folder: str,
    store: str,
    model: str,
    now: str,
    by: str,
    parent: str | None,
    order: str | None,
    force: bool,
    project_file: str | None,
) -> dict[str, Any]:
    """Build in this process; arguments and result are JSON values."""
    project = open_project(Path(folder), store, file=project_file)
    clock = ReplayClock(parse_instant(now))
    with open_session(project, clock=clock, say=progress, tidy=False) as session:
        session.by, session.parent = by, parent
        found = build_in(session, model, order=order, force=force)
    return dict(msgspec.to_builtins(found))


def build_in(session: Session, model: str, *, order: str | None, force: bool = False) -> Built:
    """Build with an open session; every step is remembered, so a repetition goes on where the first one stopped."""
    spec = session.project.model(model)
    made = featurize_model(session, spec, order=order)
    table = made.first("feature-table")
    faults = made.with_verdict(Verdict.FAIL, Verdict.BROKEN)
    if faults and not force:
        return _refuse(session, model, table.id, faults)
    trained = train_model(session, spec, table.id, order=order)
    session.say(f"train: {trained.note}")
    blessing = evaluate_model(session, spec, trained.first("model").id, table.id)
    session.say(f"evaluate: {blessing.note}")
    if not blessing.blessed and not force:
        return Built(ok=False, note=blessing.note, gate=blessing.note, because=blessing.because)
    try:
        registered = register_model(session, spec, blessing, table.id)
    except TrimtabError as error:
        return Built(ok=False, note=str(error))
    session.say(f"register: {registered.note}")
    for view in spec.views:  # what a bundle reads must be there before its first request
        materialize_view(session, view)
    bundle = registered.first("bundle").id
    version = next(each for each in session.memory.releases.versions(model) if each.bundle == bundle)
    return Built(
        ok=True,
        bundle=bundle,
        version=version.number,
        note=registered.note,
        gate=blessing.note,
        because=blessing.because,
    )


def _refuse(session: Session, model: str, table: str, faults: list[Check]) -> Built:
    """End the attempt: what is wrong with the features, training does not heal."""
    note = "; ".join(check.says for check in faults)
    because = tuple(check.id for check in faults)
    session.run(stage.CARD, "refuse", model, lambda work: None, took=[table], because=because, note=note)
    return Built(ok=False, note=note, gate=note, because=because)
