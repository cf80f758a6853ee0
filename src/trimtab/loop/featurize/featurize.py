"""Rows become features, by the code that serving runs too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.atoms.error import UsageError
from trimtab.atoms.instant import iso
from trimtab.engine.work import Work
from trimtab.loop.featurize.judge_leakage import MOST_ROWS, NEARLY_PERFECT, find_leaks
from trimtab.loop.featurize.judge_parity import SAMPLE_ROWS, Parity, compare_paths
from trimtab.loop.featurize.source_rows import all_rows, chosen_spans
from trimtab.rows.column import columns_of
from trimtab.rows.feature_frame import feature_names
from trimtab.rows.offline_features import offline_features
from trimtab.rows.point_in_time import view_input, view_rows
from trimtab.rows.table import table_bytes
from trimtab.spec.feature import FeatureView, RequestFeatures
from trimtab.spec.model import ModelSpec


@dataclass(frozen=True, slots=True)
class _Computed:
    """Rows with a target, and their features in the same order."""

    #: As a request has them, without the target.
    rows: pl.DataFrame
    features: pl.DataFrame
    names: tuple[str, ...]
    #: Key, event time, features, slices and target: what is kept.
    table: pl.DataFrame
    #: Rows of each span.
    heights: list[int]
    dropped: int


def featurize(
    work: Work,
    spec: ModelSpec,
    rows_id: str,
    view_ids: Mapping[str, str],
    spans: Sequence[str],
    *,
    code: str = "",
    functions: Sequence[RequestFeatures] | None = None,
) -> None:
    """Make the feature table of a model from spans of a snapshot.

    Args:
        view_ids: Snapshot of each of the model's views, by the view's name; all its spans are used.
        code: Digest of the feature code, kept with the table.
        functions: In place of the model's own request features, such as those of a bundle.

    Raises:
        UsageError: The target or a slice is no column, no row has a target, or the feature code failed.
    """
    snapshot = work.read(rows_id, Snapshot)
    chosen = chosen_spans(snapshot, spans)
    run = tuple(functions) if functions is not None else spec.request_features
    views = [(view, _values(work, view, view_ids)) for view in spec.views]
    computed = _compute(work, spec, snapshot, chosen, run, views)
    table = FeatureTable(
        model=spec.name,
        spans=tuple(_kept_spans(work, computed, chosen, snapshot.event_time)),
        features=columns_of(computed.table.select(computed.names)),
        target=spec.target,
        key=snapshot.key,
        event_time=snapshot.event_time,
        slices=spec.slices,
        code=code,
    )
    artifact = work.keep(table)
    rules = work.rules(
        "featurize",
        {"nearly_perfect": NEARLY_PERFECT, "leakage_rows": MOST_ROWS, "parity_rows": SAMPLE_ROWS},
    )
    _judge_leakage(work, rules, artifact, computed, spec.target)
    inputs = [view_input(view, values) for view, values in views]
    parity = compare_paths(
        computed.rows, computed.features, computed.names, run, inputs, work.store.online, snapshot.event_time
    )
    _judge_parity(work, rules, artifact, parity)
    work.note = f"{computed.table.height} rows, {len(computed.names)} features"
    if computed.dropped:
        work.note += f"; {computed.dropped} rows without {spec.target} left out"


def _values(work: Work, view: FeatureView, view_ids: Mapping[str, str]) -> pl.DataFrame:
    snapshot_id = view_ids.get(view.name)
    if snapshot_id is None:
        raise UsageError(f"feature view {view.name!r}: {view.source.name!r} has no snapshot, ingest it first")
    return view_rows(view, all_rows(work, work.read(snapshot_id, Snapshot).spans))


def _compute(
    work: Work,
    spec: ModelSpec,
    snapshot: Snapshot,
    chosen: Sequence[Span],
    functions: Sequence[RequestFeatures],
    views: Sequence[tuple[FeatureView, pl.DataFrame]],
) -> _Computed:
    declared = [column.name for column in snapshot.columns]
    if spec.target not in declared:
        raise UsageError(
            f"model {spec.name!r}: target={spec.target!r} is no column of {snapshot.source!r}; "
            f"there are {', '.join(declared[:50])}"
        )
    parts = [all_rows(work, [span]) for span in chosen]
    labelled = [part.filter(_is_there(part, spec.target)) for part in parts]
    rows = pl.concat(labelled)
    if rows.height == 0:
        raise UsageError(f"model {spec.name!r}: no row of the chosen spans has a value in {spec.target!r}")
    request = rows.drop(spec.target)
    features = offline_features(request, functions, views, snapshot.event_time)
    own = {spec.target, snapshot.key, snapshot.event_time, snapshot.known_time} - {None}
    names = feature_names(features, exclude=[name for name in own if name is not None])
    if not names:
        raise UsageError(f"model {spec.name!r}: there is no feature: no column is a number, boolean or text")
    return _Computed(
        rows=request,
        features=features,
        names=names,
        table=_table(spec, snapshot, rows, features, names),
        heights=[part.height for part in labelled],
        dropped=sum(part.height for part in parts) - rows.height,
    )


def _is_there(rows: pl.DataFrame, name: str) -> pl.Series:
    column = rows[name]
    there = column.is_not_null()
    return there & column.is_not_nan().fill_null(False) if column.dtype.is_float() else there


def _table(
    spec: ModelSpec, snapshot: Snapshot, rows: pl.DataFrame, features: pl.DataFrame, names: Sequence[str]
) -> pl.DataFrame:
    own = [rows[name] for name in (snapshot.key, snapshot.event_time) if name is not None]
    slices = []
    for name in spec.slices:
        if name not in features.columns and name not in rows.columns:
            there = ", ".join(rows.columns[:50])
            raise UsageError(f"model {spec.name!r}: slice {name!r} is no column; there are {there}")
        if name not in names and name not in (snapshot.key, snapshot.event_time, spec.target):
            slices.append((features if name in features.columns else rows)[name])
    plain = features.select(names).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    return pl.DataFrame([*own, *plain.get_columns(), *slices, rows[spec.target]])


def _kept_spans(
    work: Work, computed: _Computed, chosen: Sequence[Span], event_time: str | None
) -> list[Span]:
    kept, start = [], 0
    for span, height in zip(chosen, computed.heights, strict=True):
        part = computed.table.slice(start, height)
        start += height
        if height == 0:
            continue
        moments = part[event_time] if event_time is not None else pl.Series([None])
        first, last = moments.min(), moments.max()
        kept.append(
            Span(
                name=span.name,
                rows=height,
                table=work.keep_bytes(table_bytes(part), "application/vnd.apache.parquet"),
                first=iso(first) if first is not None else None,  # type: ignore[arg-type]
                last=iso(last) if last is not None else None,  # type: ignore[arg-type]
            )
        )
    return kept


def _judge_leakage(work: Work, rules: Artifact, table: Artifact, computed: _Computed, target: str) -> None:
    rows = min(computed.table.height, MOST_ROWS)
    leaks = find_leaks(computed.table, list(computed.names), target)
    for leak in leaks:
        work.judge(
            "features.leakage",
            rules,
            table.id,
            about=leak.feature,
            reading=Reading(value=leak.strength, unit="association", n=rows),
            limit=Limit(at_most=NEARLY_PERFECT),
            verdict=leak.verdict,
            says=leak.says,
        )
    if not leaks:
        work.judge(
            "features.leakage",
            rules,
            table.id,
            reading=Reading(value=0.0, unit="features", n=rows),
            limit=Limit(at_most=0.0),
            verdict=Verdict.PASS,
            says=f"none of {len(computed.names)} features gives {target!r} away by itself",
        )


def _judge_parity(work: Work, rules: Artifact, table: Artifact, parity: Parity) -> None:
    if parity.absent:
        verdict, says = Verdict.UNSURE, f"nothing of {', '.join(parity.absent)} is online yet"
    elif parity.rows == 0:
        verdict, says = Verdict.UNSURE, "no row is as old as what is online"
    elif parity.differing:
        verdict = Verdict.FAIL
        says = (
            f"{parity.differing} of {parity.rows} rows have other features when served, "
            f"mostly {parity.worst!r}: materialise its view, or compute each row from itself alone"
        )
    else:
        verdict, says = Verdict.PASS, f"{parity.rows} rows have the same features when served one by one"
    work.judge(
        "features.parity",
        rules,
        table.id,
        reading=Reading(value=parity.differing if parity.rows else None, unit="rows", n=parity.rows),
        limit=Limit(at_most=0.0),
        verdict=verdict,
        says=says,
    )
