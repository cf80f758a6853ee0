"""A blessed model becomes a signed bundle: compiled, proved equal on real rows, measured, packed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.content.bundle import Bundle, Manifest, Parity, manifest_bytes
from trimtab.atoms.content.content import Part
from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.content.model import Model
from trimtab.atoms.content.scorecard import Scorecard
from trimtab.atoms.content.snapshot import Column
from trimtab.atoms.error import ModelRefused
from trimtab.engine.work import Work
from trimtab.loop.register.contents import GOLDEN_ROWS, answers_bytes, golden_bytes, requestable, view_inputs
from trimtab.loop.register.feature_parity import FeatureParity, compare_features
from trimtab.loop.register.judgement import judge_features, judge_latency, judge_parity, judge_size
from trimtab.loop.register.latency import one_row_ms
from trimtab.loop.register.parity import compare_answers, served_answers
from trimtab.loop.register.refusal import record_judgements, refuse_failed
from trimtab.loop.register.sample import Sample, take_sample
from trimtab.ports.model_runtime import ModelRuntime, RunningModel
from trimtab.ports.online_features import OnlineFeatures
from trimtab.rows.bundle_features import BundleFeatures
from trimtab.rows.bundled_code import load_functions
from trimtab.rows.encoding import encode
from trimtab.rows.request_row import json_rows, read_rows
from trimtab.spec.model import ModelSpec

#: Rows whose features are computed again by the serving path: the newest of the sample.
FEATURE_ROWS = 500

#: Takes (estimator, number of features, their names, task); returns an ONNX graph or raises ModelRefused.
Compile = Callable[[Any, int, Sequence[str], str], bytes]
#: Takes bytes; returns (signature in hex, key id).
Sign = Callable[[bytes], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Compiled:
    runtime: str
    graph: bytes
    #: Why the model is served natively; empty where it was compiled.
    why_native: str
    running: RunningModel


def register(
    work: Work,
    *,
    model_id: str,
    table_id: str,
    scorecard_id: str,
    spec: ModelSpec,
    inputs: Sequence[Column],
    raw_rows: pl.DataFrame,
    compile: Compile,
    runtimes: Mapping[str, ModelRuntime],
    sign: Sign,
    online: OnlineFeatures,
    project_module: str,
    read_estimator: Callable[[bytes], Any],
    view_ids: Mapping[str, str] | None = None,
    prefer_native: bool = False,
    tolerance: float = 1e-4,
    latency_ms: float = 50.0,
    size_bytes: int = 200_000_000,
) -> None:
    """Pack and sign a bundle, or refuse the model.

    A model that has no ONNX form is served by its own library, and the Check says so. A compiled model that
    answers otherwise than the trained one is refused: never is one served in place of the other without a
    word.

    Args:
        inputs: Columns that a request's row must have.
        raw_rows: The source's rows behind the feature table, in its order (or with its key).
        runtimes: `onnx` and `native`.
        view_ids: Snapshot of each view's source, by the view's name; needed where the model has views.
        prefer_native: Do not compile.
        tolerance: Largest difference of a probability, or of a value as a share of the values' size.

    Raises:
        RegisterRefused: Answers or features differ, or the model is too slow or too large; carries the
            judgements.
        ModelRefused: The scorecard is another model's, or the estimator cannot be opened.
    """
    model, table = _taken(work, model_id, table_id, scorecard_id)
    sample = take_sample(work, model, table, raw_rows)
    rows = encode(sample.table[sample.parity], model.encoding)
    stored = work.part(model.estimator)
    estimator = read_estimator(stored)
    trained = _trained_answers(estimator, rows, model)
    compiled = _compiled(model, stored, estimator, compile, runtimes, prefer_native)
    try:
        agreement = compare_answers(trained, served_answers(compiled.running, rows), tolerance)
        draft = _manifest(
            work, model_id, model, table, spec, inputs, project_module, compiled, view_ids or {}
        )
        features = _feature_parity(work, draft, model, sample, online)
        took_ms, calls = one_row_ms(compiled.running, rows, work.store.clock)
        judgements = [
            judge_parity(agreement, compiled.why_native),
            judge_features(features),
            judge_latency(took_ms, calls, latency_ms),
            judge_size(len(compiled.graph), size_bytes),
        ]
        settings = {"tolerance": tolerance, "latency_ms": latency_ms, "size_bytes": float(size_bytes)}
        refuse_failed(model_id, settings, judgements)
        manifest = msgspec.structs.replace(
            draft,
            parity=agreement.certificate(),
            graph=work.keep_bytes(compiled.graph, "application/octet-stream"),
            golden=_golden(work, sample, features, [column.name for column in inputs], compiled, model),
            holdout_answers=_held_out(work, sample, model, table, compiled.running),
        )
    finally:
        compiled.running.close()
    signature, key_id = sign(manifest_bytes(manifest))
    work.keep(Bundle(manifest=manifest, signature=signature, key_id=key_id))
    record_judgements(work, model_id, settings, judgements)
    work.note = "; ".join(
        filter(None, [f"{compiled.runtime}, {agreement.rows:,} rows agree", compiled.why_native])
    )


def _taken(work: Work, model_id: str, table_id: str, scorecard_id: str) -> tuple[Model, FeatureTable]:
    if work.read(scorecard_id, Scorecard).candidate != model_id:
        raise ModelRefused(
            f"scorecard {scorecard_id[:12]} is of another model than {model_id[:12]}: evaluate this one"
        )
    return work.read(model_id, Model), work.read(table_id, FeatureTable)


def _trained_answers(estimator: Any, rows: NDArray[np.float32], model: Model) -> NDArray[np.float64]:
    frame = pd.DataFrame(rows, columns=[column.name for column in model.encoding.columns])
    made = estimator.predict_proba(frame) if model.classes else estimator.predict(frame)
    answers = np.asarray(made, dtype=np.float64)
    return answers if model.classes else answers.reshape(len(rows))


def _compiled(
    model: Model,
    stored: bytes,
    estimator: Any,
    compile: Compile,
    runtimes: Mapping[str, ModelRuntime],
    prefer_native: bool,
) -> _Compiled:
    """The model as it will be served; natively only where it was asked for or has no other form."""
    why = "asked to be served natively" if prefer_native else ""
    names = [column.name for column in model.encoding.columns]
    if not prefer_native:
        try:
            graph = compile(estimator, len(names), names, model.task)
        except ModelRefused as refused:
            why = str(refused)
        else:
            return _Compiled("onnx", graph, "", runtimes["onnx"].load(graph, model.task))
    return _Compiled("native", stored, why, runtimes["native"].load(stored, model.task))


def _manifest(
    work: Work,
    model_id: str,
    model: Model,
    table: FeatureTable,
    spec: ModelSpec,
    inputs: Sequence[Column],
    project_module: str,
    compiled: _Compiled,
    view_ids: Mapping[str, str],
) -> Manifest:
    """The manifest but for what is measured and answered."""
    nothing = Part(blob="", size_bytes=0)
    return Manifest(
        model=model.name,
        trained=model_id,
        task=model.task,
        classes=model.classes,
        target=table.target,
        runtime=compiled.runtime,
        graph=nothing,
        encoding=model.encoding,
        inputs=tuple(inputs),
        request_features=tuple(feature.name for feature in spec.request_features),
        views=view_inputs(work, spec, dict(view_ids)),
        slices=table.slices,
        key=table.key,
        event_time=table.event_time,
        code=model.code,
        files=model.files,
        environment=model.environment,
        parity=Parity(rows=0, differing=0, largest_difference=0.0, tolerance=0.0),
        golden=nothing,
        project_module=project_module,
    )


def _feature_parity(
    work: Work, manifest: Manifest, model: Model, sample: Sample, online: OnlineFeatures
) -> FeatureParity:
    """Bring rows in as a request would, with the bundle's own code, and compare with the table's features."""
    places = sample.parity[-FEATURE_ROWS:]
    names = [column.name for column in manifest.inputs]
    raw = sample.raw[places].select(names)
    files = {file.module: work.part(file.text) for file in manifest.files}
    functions = load_functions(files, manifest.project_module, manifest.request_features)
    can_come = requestable(raw)
    typed = read_rows(json_rows(raw.filter(can_come)), manifest.inputs, encoding=None, strict=False)
    served = BundleFeatures(manifest, functions, online).frame(typed, work.store.now())
    stored = sample.table[places].filter(can_come)
    from_views = frozenset(column.name for view in manifest.views for column in view.columns)
    made = compare_features(stored, served, model.encoding, from_views)
    same = np.zeros(len(places), dtype=np.bool_)
    same[can_come] = made.same
    return replace(made, same=same)


def _golden(
    work: Work, sample: Sample, parity: FeatureParity, names: list[str], compiled: _Compiled, model: Model
) -> Part:
    """Up to 32 rows, spread over the newest of the sample, whose features serving reproduces bit for bit."""
    places = sample.parity[-FEATURE_ROWS:]
    good = places[parity.same] if parity.same.any() else places
    chosen = good[np.unique(np.linspace(0, len(good) - 1, GOLDEN_ROWS).round().astype(np.int64))]
    rows = encode(sample.table[chosen], model.encoding)
    answers = served_answers(compiled.running, rows)
    return work.keep_bytes(golden_bytes(sample.raw[chosen].select(names), rows, answers), "application/json")


def _held_out(
    work: Work, sample: Sample, model: Model, table: FeatureTable, running: RunningModel
) -> Part | None:
    """The served model's answers on the rows that training never saw."""
    if not len(sample.held):
        return None
    frame = sample.table[sample.held]
    answers = served_answers(running, encode(frame, model.encoding))
    return work.keep_bytes(answers_bytes(frame, answers, model, table), "application/vnd.apache.parquet")
