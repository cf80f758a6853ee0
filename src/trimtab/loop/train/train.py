"""A feature table becomes a model, with all that is needed to make it again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.encoding import Encoding
from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.content.model import Environment, Model, SourceFile
from trimtab.atoms.content.run_log import RunLog
from trimtab.atoms.error import UsageError
from trimtab.engine.work import Work
from trimtab.loop.train.fitting import fit_model, predictions
from trimtab.loop.train.plain_value import plain_values
from trimtab.loop.train.search import Search, search_parameters
from trimtab.loop.train.target import Target, is_known, read_target, target_codes
from trimtab.rows.encoding import encode, learn_encoding
from trimtab.rows.holdout import holdout_mask, holdout_start, since, start_text
from trimtab.rows.table import read_table
from trimtab.spec.dataset import Dataset, Trial
from trimtab.spec.duration import parse_duration
from trimtab.spec.model import ModelSpec

#: Fewer training rows than this (and fewer than 10 a class) say little.
FEWEST_ROWS = 50
#: Held-out rows that the new estimator must answer with finite numbers.
FINITE_ROWS = 1000
#: Share of the training rows that a search judges its trials on: the newest.
SEARCH_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class _Split:
    learn: pl.DataFrame
    held: pl.DataFrame
    start: datetime | None


def train(
    work: Work,
    spec: ModelSpec,
    table_id: str,
    *,
    files: Mapping[str, bytes],
    environment: Environment,
    fixed: Mapping[str, Any],
    trials: int,
    write_estimator: Callable[[Any], bytes],
    code: str,
) -> None:
    """Fit the project's estimator, holding the newest rows back; the same inputs give the same model's bytes.

    Args:
        files: Source of each of the project's modules, by module name.
        fixed: Parameters set from outside.
        trials: Settings to try; 1 fits once, with the defaults.
        code: Digest of the training and feature code.

    Raises:
        UsageError: The rows cannot be learnt from, or the project's function failed.
    """
    table = work.read(table_id, FeatureTable)
    split = _split(spec, table, _rows(work, table))
    target = read_target(
        split.learn[table.target], spec.task, f"model {spec.name!r}: target {table.target!r}"
    )
    encoding = learn_encoding(split.learn, [column.name for column in table.features])
    dataset = _dataset(split.learn, encoding, table.target, target)
    search = _search(spec, table, split.learn, dataset, fixed, trials) if trials > 1 else None
    trial = Trial(seed=spec.seed, fixed={**fixed, **(search.best if search else {})})
    work.say(f"train: {spec.name} on {split.learn.height:,} rows, {len(encoding.columns)} features")
    estimator = fit_model(spec, dataset, trial)
    answers = _sample_answers(spec, estimator, split.held, encoding, target)
    model = work.keep(
        Model(
            name=spec.name,
            task=target.task,
            classes=target.classes,
            encoding=encoding,
            estimator=work.keep_bytes(write_estimator(estimator), "application/zip"),
            parameters=plain_values(trial.used),
            seed=spec.seed,
            code=code,
            files=tuple(
                SourceFile(module=name, text=work.keep_bytes(files[name], "text/x-python"))
                for name in sorted(files)
            ),
            environment=environment,
            rows_train=split.learn.height,
            rows_holdout=split.held.height,
            holdout_from=start_text(split.start),
            holdout_share=spec.holdout,
            target=table.target,
            key=table.key,
            event_time=table.event_time,
        )
    )
    work.keep(_run_log(spec, estimator, trial, search, split))
    _judge(work, model, split, target, answers)
    work.note = f"{type(estimator).__name__} on {split.learn.height:,} rows, {split.held.height:,} held out"


def _rows(work: Work, table: FeatureTable) -> pl.DataFrame:
    """Rows of the table whose target is known."""
    frame = pl.concat([read_table(work.part(span.table)) for span in table.spans], how="vertical_relaxed")
    return frame.filter(is_known(frame[table.target]))


def _split(spec: ModelSpec, table: FeatureTable, frame: pl.DataFrame) -> _Split:
    """Rows to learn from, and the newest (or a share by digest), which no fit and no search sees."""
    where = f"model {spec.name!r}"
    if frame.height < 2:
        raise UsageError(
            f"{where}: {frame.height} rows have a value in target {table.target!r}: there is nothing to learn"
        )
    whole = read_target(frame[table.target], spec.task, f"{where}: target {table.target!r}")
    classes = frame[table.target] if whole.task == "classification" else None
    held = _newest(frame, table, spec.holdout, classes)
    keep = ~held
    if spec.history is not None and table.event_time is not None:
        newest = frame[table.event_time].max()
        assert isinstance(newest, datetime)
        oldest = newest - parse_duration(spec.history, f"{where}: history")
        keep &= since(frame, table.event_time, oldest)
    if not keep.any() or not held.any():
        raise UsageError(
            f"{where}: of {frame.height} rows {int(keep.sum())} are left to learn from and "
            f"{int(held.sum())} to judge by: more rows are needed, or another holdout= or history="
        )
    start = holdout_start(frame, event_time=table.event_time, share=spec.holdout)
    return _Split(frame.filter(keep), frame.filter(held), start)


def _newest(
    frame: pl.DataFrame, table: FeatureTable, share: float, classes: pl.Series | None
) -> NDArray[np.bool_]:
    return holdout_mask(
        frame,
        event_time=table.event_time,
        key=table.key,
        share=share,
        classes=classes,
        features=[column.name for column in table.features],
        target=table.target,
    )


def _dataset(rows: pl.DataFrame, encoding: Encoding, column: str, target: Target) -> Dataset:
    names = [feature.name for feature in encoding.columns]
    return Dataset(
        x=pd.DataFrame(encode(rows, encoding), columns=names),
        y=target_codes(rows[column], target),
        categories=tuple(feature.name for feature in encoding.columns if feature.role == "category"),
        classes=target.classes,
        rows=rows,
    )


def _search(
    spec: ModelSpec,
    table: FeatureTable,
    rows: pl.DataFrame,
    dataset: Dataset,
    fixed: Mapping[str, Any],
    trials: int,
) -> Search:
    classes = rows[table.target] if dataset.classes else None
    newest = _newest(rows, table, SEARCH_SHARE, classes)
    learn = _part(dataset, ~newest)
    if dataset.classes and len(np.unique(learn.y)) < len(dataset.classes):
        raise UsageError(
            f"model {spec.name!r}: a search needs every class among its older training rows: "
            "train without trials, or on more rows"
        )
    return search_parameters(spec, learn, _part(dataset, newest), fixed=dict(fixed), trials=trials)


def _part(dataset: Dataset, mask: NDArray[np.bool_]) -> Dataset:
    return Dataset(
        x=dataset.x[mask].reset_index(drop=True),
        y=dataset.y[mask],
        categories=dataset.categories,
        classes=dataset.classes,
        rows=dataset.rows.filter(mask),
    )


def _sample_answers(
    spec: ModelSpec, estimator: Any, held: pl.DataFrame, encoding: Encoding, target: Target
) -> NDArray[np.float64]:
    places = np.unique(np.linspace(0, held.height - 1, FINITE_ROWS).round().astype(np.int64))
    x = pd.DataFrame(encode(held[places], encoding), columns=[column.name for column in encoding.columns])
    return predictions(spec, estimator, x, classes=len(target.classes))


def _run_log(spec: ModelSpec, estimator: Any, trial: Trial, search: Search | None, split: _Split) -> RunLog:
    points: list[tuple[str, int, float]] = []
    tags = {"estimator": type(estimator).__name__, "seed": str(spec.seed)}
    parameters: dict[str, Any] = plain_values(trial.used)
    if search is not None:
        points = [
            (search.metric, step, loss) for step, (_, loss) in enumerate(search.trials) if loss is not None
        ]
        tags["search"] = f"{len(search.trials)} trials by {search.metric} on the newest training rows"
        parameters["trials"] = [plain_values(used) for used, _ in search.trials]
    points += [("rows_train", 0, float(split.learn.height)), ("rows_holdout", 0, float(split.held.height))]
    return RunLog(model=spec.name, parameters=parameters, tags=tags, points=tuple(points))


def _judge(work: Work, model: Artifact, split: _Split, target: Target, answers: NDArray[np.float64]) -> None:
    rules = work.rules("train", {"fewest_rows": FEWEST_ROWS, "rows_a_class": 10, "finite_rows": FINITE_ROWS})
    rows, fewest = split.learn.height, max(FEWEST_ROWS, 10 * len(target.classes))
    work.judge(
        "train.enough_rows",
        rules,
        model.id,
        reading=Reading(value=float(rows), unit="rows", n=rows),
        limit=Limit(at_least=float(fewest)),
        verdict=Verdict.PASS if rows >= fewest else Verdict.FAIL,
        says=f"learnt from {rows:,} rows; {fewest} are the least that say something",
    )
    bad = int((~np.isfinite(answers.reshape(len(answers), -1))).any(axis=1).sum())
    work.judge(
        "train.finite",
        rules,
        model.id,
        reading=Reading(value=float(bad), unit="rows", n=len(answers)),
        limit=Limit(at_most=0.0),
        verdict=Verdict.FAIL if bad else Verdict.PASS,
        says=f"{bad or 'none'} of {len(answers):,} held-out rows got an answer that is NaN or infinite",
    )
