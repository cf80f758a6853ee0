"""The parts of a bundle that are tables of rows and answers: golden rows and held-out answers."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.canonical_json import canonical_json
from trimtab.atoms.content.bundle import ViewInput
from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.content.model import Model
from trimtab.atoms.content.snapshot import Snapshot
from trimtab.atoms.error import UsageError
from trimtab.engine.work import Work
from trimtab.rows.moment import as_moment
from trimtab.rows.point_in_time import view_input, view_rows
from trimtab.rows.request_row import json_rows
from trimtab.rows.served_row import FEATURE, INPUT, VALUE, label_text
from trimtab.rows.table import read_table, table_bytes
from trimtab.spec.model import ModelSpec

#: Rows that a server reproduces before it is ready.
GOLDEN_ROWS = 32


def golden_bytes(raw: pl.DataFrame, features: NDArray[np.float32], answers: NDArray[np.float64]) -> bytes:
    """Request rows, their encoded features (missing is null) and the answers, as JSON."""
    encoded: list[list[float | None]] = [
        [None if np.isnan(value) else float(value) for value in row] for row in features
    ]
    return canonical_json({"rows": json_rows(raw), "features": encoded, "outputs": answers.tolist()})


def requestable(raw: pl.DataFrame) -> NDArray[np.bool_]:
    """Which rows a request can bring: JSON has no infinity."""
    floats = [name for name, dtype in raw.schema.items() if dtype.is_float()]
    if not floats:
        return np.ones(raw.height, dtype=np.bool_)
    infinite = raw.select(pl.any_horizontal(pl.col(name).is_infinite().fill_null(False) for name in floats))
    return ~infinite.to_series().to_numpy()


def answers_bytes(
    frame: pl.DataFrame, answers: NDArray[np.float64], model: Model, table: FeatureTable
) -> bytes:
    """Held-out rows as Parquet: the answer's columns, `truth`, `event_time`, slices as in windows."""
    columns: dict[str, pl.Series] = {}
    if model.classes:
        for place in range(len(model.classes)):
            columns[f"p{place}"] = pl.Series(answers[:, place])
    else:
        columns[VALUE] = pl.Series(answers)
    columns["truth"] = _texts(frame[table.target])
    if table.event_time is not None:
        columns["event_time"] = as_moment(frame[table.event_time])
    features = {column.name for column in model.encoding.columns}
    for name in table.slices:
        columns[f"{FEATURE if name in features else INPUT}{name}"] = frame[name]
    return table_bytes(pl.DataFrame(columns))


def view_inputs(work: Work, spec: ModelSpec, view_ids: dict[str, str]) -> tuple[ViewInput, ...]:
    """What serving must know of the model's views: their columns, found by running each over some rows.

    Args:
        view_ids: Snapshot of each view's source, by the view's name.
    """
    made = []
    for view in spec.views:
        if view.name not in view_ids:
            raise UsageError(
                f"feature view {view.name!r} has no snapshot of {view.source.name!r}: ingest it first"
            )
        spans = work.read(view_ids[view.name], Snapshot).spans
        if not spans:
            raise UsageError(
                f"feature view {view.name!r}: its source {view.source.name!r} has no rows yet: ingest it"
            )
        smallest = min(spans, key=lambda span: (span.rows == 0, span.rows))
        made.append(view_input(view, view_rows(view, read_table(work.part(smallest.table)))))
    return tuple(made)


def _texts(truth: pl.Series) -> pl.Series:
    """Outcomes as windows keep them; each different value is written once."""
    if truth.dtype == pl.String:
        return truth
    distinct: list[Any] = truth.unique().to_list()
    texts = pl.DataFrame(
        {"value": pl.Series(distinct, dtype=truth.dtype), "text": [label_text(value) for value in distinct]},
        schema_overrides={"text": pl.String},
    )
    joined = (
        truth.alias("value")
        .to_frame()
        .join(texts, on="value", how="left", nulls_equal=True, maintain_order="left")
    )
    return joined["text"]
