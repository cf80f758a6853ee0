"""Data through the loop: ingest, validate, featurize."""

import glob
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from trimtab.assembly.folder_steps import ingest_folder_source, stat_index
from trimtab.assembly.session import Session
from trimtab.atoms.content.snapshot import Snapshot
from trimtab.atoms.error import UsageError
from trimtab.engine.code_digest import code_digest
from trimtab.engine.step import Done
from trimtab.loop import featurize as featurize_stage
from trimtab.loop import ingest as ingest_stage
from trimtab.loop import validate as validate_stage
from trimtab.loop.featurize.featurize import featurize
from trimtab.loop.featurize.online import materialize_online
from trimtab.loop.ingest.arrival import read_prints
from trimtab.loop.ingest.ingest import ingest
from trimtab.loop.validate.validate import failing, validate
from trimtab.spec.feature import FeatureView
from trimtab.spec.model import ModelSpec
from trimtab.spec.source import Source


def source_files(session: Session, source: Source) -> list[Path]:
    """The source's files as they are now, sorted by name.

    Raises:
        UsageError: No file matches.
    """
    place = session.project.folder / source.path
    files = (
        [place] if place.exists() else sorted(Path(path) for path in glob.glob(str(place), recursive=True))
    )
    if not files:
        raise UsageError(
            f"source {source.name!r}: no file matches {source.path!r} in {session.project.folder}"
        )
    return files


def ingest_source(session: Session, source: Source) -> Done | None:
    """Bring the source's files into a snapshot; None where no file changed since the newest one."""
    place = session.project.folder / source.path
    if place.is_dir():
        return ingest_folder_source(session, source.name, place)
    files = source_files(session, source)
    prints = _prints(session, source, files)
    previous = session.memory.spans.snapshot(source.name)
    most = session.project.settings.validate.max_duplicates
    if previous is not None and session.store.read(previous, Snapshot).files == prints:
        return None
    return session.run(
        ingest_stage.CARD,
        "ingest",
        source.name,
        lambda work: ingest(work, source, files, previous, most_duplicates=most, prints=prints),
        took=[previous] if previous else [],
        parameters={"files": prints, "source": _declared(source), "most_duplicates": most},
    )


def _prints(session: Session, source: Source, files: list[Path]) -> dict[str, str]:
    """Digests of the source's files; those that nobody touched since another process read them are not read."""
    index, place = stat_index(session.project.store_folder), f"table:{source.name}"
    known = index.recall(place)
    # Files are stamped by the machine's own clock, whatever time the session goes by.
    prints = read_prints(files, known, time.time_ns())
    if prints.remembered != known:
        index.remember(place, prints.remembered)
    return prints.names


def validate_source(session: Session, source: Source) -> list[Done]:
    """Judge the spans that were not judged yet, in order of time; quarantine those that fail."""
    snapshot_id = session.memory.spans.snapshot(source.name)
    if snapshot_id is None:
        raise UsageError(f"source {source.name!r} has no snapshot yet: run `trimtab ingest` first")
    snapshot = session.store.read(snapshot_id, Snapshot)
    if snapshot.folder is not None:
        session.say(f"validate: {source.name} is a folder of files: it has no rows that could be judged")
    done = []
    for span in snapshot.spans:
        state = session.memory.spans.state(source.name).get(span.name)
        if state is None or not state.validated or state.table != span.table.blob:
            done.append(_validate_span(session, source, snapshot_id, span.name, span.table.blob))
    return done


def _validate_span(session: Session, source: Source, snapshot_id: str, span: str, table: str) -> Done:
    spans = session.memory.spans
    schema = spans.schema(source.name)
    good = [state for state in spans.state(source.name).values() if state.validated and not state.quarantined]
    before = [state for state in good if state.span < span]
    previous = (before or good)[-1].profile if good else None
    done = session.run(
        validate_stage.CARD,
        "validate",
        source.name,
        lambda work: validate(work, snapshot_id, span, schema_id=schema, previous_profile_id=previous),
        took=[each for each in (snapshot_id, schema, previous) if each],
        parameters={"span": span, "table": table},
    )
    failed = failing(done.checks)
    if failed:
        reasons = "; ".join(check.says for check in failed[:3])
        session.say(f"validate: {source.name} {span} quarantined: {reasons}")
        session.run(
            validate_stage.CARD,
            "quarantine",
            f"{source.name}/{span}",
            lambda work: None,
            took=[done.first("profile").id],
            because=[check.id for check in failed],
            parameters={"table": table},
            note=reasons,
        )
    return done


def usable_spans(session: Session, source: Source) -> list[str]:
    """Spans that were validated and are not quarantined, in order of time."""
    states = session.memory.spans.state(source.name)
    return sorted(span for span, state in states.items() if state.validated and not state.quarantined)


def quarantined_spans(session: Session, source: Source) -> list[str]:
    """Spans that failed validation and were not acknowledged."""
    states = session.memory.spans.state(source.name)
    return sorted(span for span, state in states.items() if state.quarantined)


def featurize_model(
    session: Session, spec: ModelSpec, *, spans: list[str] | None = None, order: str | None = None
) -> Done:
    """The feature table of a model over its usable spans.

    Args:
        spans: These spans instead.
        order: Artifact id of the retrain order that asks for it.
    """
    rows_id = session.memory.spans.snapshot(spec.rows.name)
    if rows_id is None:
        raise UsageError(f"source {spec.rows.name!r} has no snapshot yet: run `trimtab ingest` first")
    for taken in (spec.rows, *(view.source for view in spec.views)):
        _hold_to_tables(session, spec, taken)
    usable = spans if spans is not None else usable_spans(session, spec.rows)
    if not usable:
        raise UsageError(
            f"source {spec.rows.name!r} has no usable span: {len(quarantined_spans(session, spec.rows))} quarantined; "
            "see `trimtab status`, then run `trimtab validate`"
        )
    views: dict[str, str] = {}
    for view in spec.views:
        snapshot = session.memory.spans.snapshot(view.source.name)
        if snapshot is None:
            raise UsageError(
                f"source {view.source.name!r} of view {view.name!r} has no snapshot: run `trimtab ingest`"
            )
        views[view.name] = snapshot
    code = feature_code(session, spec)
    return session.run(
        featurize_stage.CARD,
        "materialize",
        spec.name,
        lambda work: featurize(work, spec, rows_id, views, usable, code=code),
        took=[rows_id, *views.values(), *([order] if order else [])],
        parameters={
            "spans": usable,
            "target": spec.target,
            "slices": list(spec.slices),
            "views": {view.name: [view.entity, view.max_age] for view in spec.views},
        },
        code=code,
    )


def _hold_to_tables(session: Session, spec: ModelSpec, source: Source) -> None:
    if (session.project.folder / source.path).is_dir():
        raise UsageError(
            f"model {spec.name!r}: source {source.name!r} is a folder of files, and a model learns from rows: "
            f"name its tables, as in '{source.path}/*.parquet', or give a table that lists the files"
        )


def feature_code(session: Session, spec: ModelSpec) -> str:
    """Digest of the code that computes the model's features."""
    functions = [feature.compute for feature in spec.features]
    return code_digest(functions, session.project.folder)


def user_functions(spec: ModelSpec) -> list[Callable[..., Any]]:
    """The project's functions that a model depends on."""
    return [spec.fit, *(feature.compute for feature in spec.features)]


def model_code(session: Session, spec: ModelSpec) -> str:
    """Digest of all user code that the model depends on."""
    return code_digest(user_functions(spec), session.project.folder)


def materialize_view(session: Session, view: FeatureView, since: datetime | None = None) -> Done | None:
    """Put the view's values of its source's newest snapshot online; None where there is no snapshot yet."""
    snapshot = session.memory.spans.snapshot(view.source.name)
    if snapshot is None:
        return None
    since_us = int(since.timestamp() * 1_000_000) if since else None
    return session.run(
        featurize_stage.CARD,
        "materialize",
        view.name,
        lambda work: materialize_online(work, view, snapshot, since_us),
        took=[snapshot],
        parameters={"online": True, "since_us": since_us},
        code=code_digest([view.compute], session.project.folder),
    )


def _declared(source: Source) -> dict[str, str | None]:
    return {
        "key": source.key,
        "event_time": source.event_time,
        "known_time": source.known_time,
        "span": source.span,
    }
