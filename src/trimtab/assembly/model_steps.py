"""A model through the loop: train, evaluate, register."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from trimtab.adapters.compile_onnx import compile_estimator
from trimtab.adapters.environment import capture
from trimtab.adapters.estimator_answer import estimator_answer
from trimtab.adapters.estimator_file import read_estimator, write_estimator
from trimtab.adapters.native_runtime import NativeRuntime
from trimtab.adapters.onnx_runtime import OnnxRuntime
from trimtab.adapters.signature import Signer
from trimtab.assembly.ancestry import snapshots_of, table_of
from trimtab.assembly.data_steps import featurize_model, model_code, user_functions
from trimtab.assembly.session import Session
from trimtab.atoms.content.bundle import Bundle
from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.content.model import Model
from trimtab.atoms.content.snapshot import Column, Snapshot
from trimtab.atoms.error import UsageError
from trimtab.engine.code_digest import project_modules
from trimtab.engine.step import Done
from trimtab.engine.work import Work
from trimtab.loop import evaluate as evaluate_stage
from trimtab.loop import register as register_stage
from trimtab.loop import train as train_stage
from trimtab.loop.evaluate.blessing import decide_blessing
from trimtab.loop.evaluate.evaluate import evaluate
from trimtab.loop.evaluate.gate_rows import Champion
from trimtab.loop.evaluate.policy import Policy
from trimtab.loop.register.refusal import RegisterRefused, record_refusal
from trimtab.loop.register.register import register
from trimtab.loop.train.train import train
from trimtab.ports.model_runtime import ModelRuntime
from trimtab.rows.bundled_code import load_declarations
from trimtab.rows.table import read_table
from trimtab.spec.model import ModelSpec


@dataclass(frozen=True, slots=True)
class Blessing:
    """What the gate said of a model."""

    model: str
    scorecard: str
    scored: Done
    blessed: bool
    note: str
    because: tuple[str, ...]


def runtimes(session: Session) -> dict[str, ModelRuntime]:
    """What opens models in this project."""
    trusted = session.project.settings.train.trusted_types
    return {"onnx": OnnxRuntime(), "native": NativeRuntime(trusted)}


def train_model(
    session: Session,
    spec: ModelSpec,
    table: str,
    *,
    order: str | None = None,
    because: tuple[str, ...] = (),
    fixed: Mapping[str, Any] | None = None,
    trials: int | None = None,
) -> Done:
    """Fit the model on a feature table."""
    root = session.project.folder
    modules = project_modules(user_functions(spec), root)
    files = {name: path.read_bytes() for name, path in modules.items()}
    environment = capture(root)
    code = model_code(session, spec)
    trusted = session.project.settings.train.trusted_types
    searched = trials or session.project.settings.train.trials
    return session.run(
        train_stage.CARD,
        "train",
        spec.name,
        lambda work: train(
            work,
            spec,
            table,
            files=files,
            environment=environment,
            fixed=dict(fixed or {}),
            trials=searched,
            write_estimator=lambda estimator: write_estimator(estimator, trusted),
            code=code,
        ),
        took=[table, *([order] if order else [])],
        parameters={
            "fixed": dict(fixed or {}),
            "trials": searched,
            "seed": spec.seed,
            "holdout": spec.holdout,
            "history": spec.history,
            "task": spec.task,
            "metrics": list(spec.metrics),
        },
        code=code,
        because=because,
    )


def evaluate_model(session: Session, spec: ModelSpec, model: str, table: str) -> Blessing:
    """Score a model beside champion and baseline, and let the gate decide."""
    gate = session.project.settings.gate
    policy = Policy(margin=gate.margin, unsure=gate.unsure, alpha=gate.alpha)
    champion = _champion(session, spec, table)
    content = session.store.read(model, Model)
    trusted = session.project.settings.train.trusted_types
    estimator = read_estimator(session.store.part(content.estimator), trusted)
    names = [column.name for column in content.encoding.columns]
    took = [model, table]
    if champion is not None:
        took += [each for each in (champion.bundle, champion.table) if each not in took]
    looks = _earlier_looks(session, table, model)
    scored = session.run(
        evaluate_stage.CARD,
        "evaluate",
        spec.name,
        lambda work: evaluate(
            work,
            model_id=model,
            table_id=table,
            spec=spec,
            challenger=lambda rows: estimator_answer(estimator, content.task, rows, names),
            champion=champion,
            policy=policy,
            looks=looks,
        ),
        took=took,
        parameters={
            "policy": policy.settings(),
            "metrics": list(spec.metrics),
            "slices": list(spec.slices),
            "looks": looks,
        },
    )
    decision = decide_blessing(scored.checks, policy, first=champion is None)
    session.run(
        evaluate_stage.CARD,
        decision.kind,
        spec.name,
        lambda work: None,
        took=[model],
        because=decision.because,
        parameters={"scorecard": scored.first("scorecard").id},
        note=decision.note,
    )
    return Blessing(
        model=model,
        scorecard=scored.first("scorecard").id,
        scored=scored,
        blessed=decision.kind == "bless",
        note=decision.note,
        because=tuple(decision.because),
    )


def register_model(
    session: Session, spec: ModelSpec, blessing: Blessing, table: str, *, note: str = ""
) -> Done:
    """Compile a model, prove it on real rows, pack and sign it.

    Raises:
        RegisterRefused: The compiled model is not the trained one, or is too slow or too large; it is recorded.
    """
    snapshots = snapshots_of(session, table)
    took = [blessing.model, blessing.scorecard, table, *snapshots.values()]
    settings = session.project.settings.register
    try:
        return session.run(
            register_stage.CARD,
            "register",
            spec.name,
            lambda work: _register(work, session, spec, blessing, table, snapshots),
            took=took,
            parameters={
                "tolerance": settings.tolerance,
                "latency_ms": settings.latency_ms,
                "size_bytes": settings.size_bytes,
                "native": settings.native,
            },
            because=blessing.because,
            note=note,
        )
    except RegisterRefused as error:
        refused = error
        session.run(
            register_stage.CARD,
            "refuse",
            spec.name,
            lambda work: record_refusal(work, refused),
            took=[refused.model_id],
            because=blessing.because,
            parameters={"table": table},
            note=str(refused),
        )
        raise


def _register(
    work: Work, session: Session, spec: ModelSpec, blessing: Blessing, table: str, snapshots: dict[str, str]
) -> None:
    settings = session.project.settings.register
    trusted = session.project.settings.train.trusted_types
    snapshot = snapshots[spec.rows.name]
    register(
        work,
        model_id=blessing.model,
        table_id=table,
        scorecard_id=blessing.scorecard,
        spec=spec,
        inputs=request_columns(session, spec, snapshot),
        raw_rows=raw_rows(session, spec, snapshot, table),
        compile=compile_estimator,
        runtimes=runtimes(session),
        sign=Signer(session.project.store_folder / "keys").sign,
        online=session.store.online,
        project_module=session.project.module,
        read_estimator=lambda content: read_estimator(content, trusted),
        view_ids={view.name: snapshots[view.source.name] for view in spec.views},
        prefer_native=settings.native,
        tolerance=settings.tolerance,
        latency_ms=settings.latency_ms,
        size_bytes=settings.size_bytes,
    )


def request_columns(session: Session, spec: ModelSpec, snapshot: str) -> tuple[Column, ...]:
    """The columns that a request's row must have: the source's, less what is known only later."""
    content = session.store.read(snapshot, Snapshot)
    later = {spec.target, content.known_time} - {content.event_time}
    return tuple(column for column in content.columns if column.name not in later)


def raw_rows(session: Session, spec: ModelSpec, snapshot: str, table: str) -> pl.DataFrame:
    """The source's rows behind a feature table, in the table's order."""
    content = session.store.read(snapshot, Snapshot)
    wanted = {span.name for span in session.store.read(table, FeatureTable).spans}
    frames = [read_table(session.store.part(span.table)) for span in content.spans if span.name in wanted]
    return pl.concat(frames, how="vertical_relaxed").filter(pl.col(spec.target).is_not_null())


def newest_table(session: Session, spec: ModelSpec) -> str:
    """The feature table over the rows as they are now; made where it is not there yet."""
    return featurize_model(session, spec).first("feature-table").id


def newest_model(session: Session, spec: ModelSpec) -> tuple[str, str]:
    """Artifact ids of the newest trained model and of its feature table."""
    runs = [run for run in session.memory.trainings.all(spec.name) if run.artifact]
    if not runs:
        raise UsageError(f"model {spec.name!r} was not trained yet: run `trimtab train`")
    trained = str(runs[-1].artifact)
    return trained, table_of(session, trained)


def _earlier_looks(session: Session, table: str, model: str) -> int:
    """How many other models were judged on the held-out rows of this table."""
    links = session.memory.links
    judged = {
        taken.source
        for edge in links.down(table)
        if (action := links.node(edge.target)) is not None and action.kind == "evaluate"
        for taken in links.up(edge.target)
        if (node := links.node(taken.source)) is not None and node.kind == "model"
    }
    return len(judged - {model})


def _champion(session: Session, spec: ModelSpec, table: str) -> Champion | None:
    """The champion, able to answer rows of its own feature table."""
    state = session.memory.releases.plan(spec.name)
    if state is None:
        return None
    bundle = session.store.read(state.plan.champion, Bundle).manifest
    running = runtimes(session)[bundle.runtime].load(session.store.part(bundle.graph), bundle.task)
    content = session.store.read(table, FeatureTable)
    own = table
    if bundle.code != "" and [column.name for column in bundle.encoding.columns] != [
        column.name for column in content.features
    ]:
        files = {file.module: session.store.part(file.text) for file in bundle.files}
        declared = load_declarations(files, bundle.project_module).values()
        theirs = next(item for item in declared if isinstance(item, ModelSpec) and item.name == spec.name)
        spans = [span.name for span in content.spans]
        own = featurize_model(session, theirs, spans=spans).first("feature-table").id
    return Champion(bundle=state.plan.champion, encoding=bundle.encoding, table=own, answer=running.answer)
