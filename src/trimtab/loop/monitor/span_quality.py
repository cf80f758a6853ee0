"""What answers and outcomes of one span say of quality: the sums that losses and biases are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.content.bundle import Manifest
from trimtab.rows.served_row import answer_matrix, label_text, truth_codes, truth_values
from trimtab.stats.metric.catalog import METRICS
from trimtab.stats.metric.metric import Metric

#: Blocks that held-out rows are cut into where they cover too few days.
HELD_OUT_BLOCKS = 20
#: Days from which held-out rows are judged by day.
_ENOUGH_DAYS = 12


@dataclass(frozen=True, slots=True)
class SpanQuality:
    """The rows of one span whose outcome is known."""

    span: str
    n: int
    #: Mean loss a row, and its standard deviation over rows; NaN without rows.
    loss: float
    loss_sd: float
    #: Mean answer and mean outcome: one number for a regression, one a class for a classifier.
    answer: tuple[float, ...]
    outcome: tuple[float, ...]
    #: Standard deviation of a regression's outcomes; 0 for a classifier.
    outcome_sd: float = 0.0


def loss_metric(task: str, metrics: Sequence[str]) -> Metric:
    """The loss that windows are judged by: the first declared metric that is a loss a row."""
    for name in metrics:
        metric = METRICS.get(name)
        if (
            metric is not None
            and metric.task == task
            and metric.rows is not None
            and not metric.greater_is_better
        ):
            return metric
    return METRICS["log_loss" if task == "classification" else "mae"]


def measure(span: str, frame: pl.DataFrame, manifest: Manifest, metric: Metric) -> SpanQuality:
    """Measure the rows of `frame` that have a finite answer and an outcome.

    Args:
        span: The span's name.
        frame: Answer columns and `truth` as text, as in a window's table.
        manifest: Of the bundle that answered.
        metric: A metric with a per-row form.
    """
    known = frame.filter(pl.col("truth").is_not_null())
    classes = len(manifest.classes)
    answers = answer_matrix(known, classes)
    if classes:
        codes = truth_codes(known.get_column("truth"), manifest.classes)
        finite = np.isfinite(answers).all(axis=1)
        truth: NDArray[Any] = codes
        came = (codes[:, None] == np.arange(classes)).astype(np.float64)
    else:
        truth = truth_values(known.get_column("truth"))
        finite = np.isfinite(answers) & np.isfinite(truth)
        came, answers = truth[:, None], answers[:, None]
    n = int(finite.sum())
    if n == 0 or metric.rows is None:
        return SpanQuality(span, 0, float("nan"), float("nan"), (), ())
    predicted = answers[finite] if classes else answers[finite, 0]
    losses = metric.rows(truth[finite], predicted)
    return SpanQuality(
        span=span,
        n=n,
        loss=float(np.mean(losses)),
        loss_sd=float(np.std(losses)),
        answer=tuple(float(value) for value in answers[finite].mean(axis=0)),
        outcome=tuple(float(value) for value in came[finite].mean(axis=0)),
        outcome_sd=0.0 if classes else float(np.std(truth[finite])),
    )


def held_out_spans(frame: pl.DataFrame, manifest: Manifest, metric: Metric) -> list[SpanQuality]:
    """Held-out rows as spans: by day where they cover enough days, else in equal blocks."""
    texts = _truth_texts(frame.get_column("truth"), manifest)
    rows = frame.with_columns(pl.Series("truth", texts, dtype=pl.String))
    if "event_time" in rows.columns and not rows.get_column("event_time").null_count():
        rows = rows.sort("event_time", maintain_order=True)
        days = rows.get_column("event_time").cast(pl.Date)
        if days.n_unique() >= _ENOUGH_DAYS:
            named = rows.with_columns(_span=days.cast(pl.String))
            return _measure_parts(named, manifest, metric)
    count = min(HELD_OUT_BLOCKS, rows.height)
    places = np.arange(rows.height) * count // max(rows.height, 1)
    return _measure_parts(rows.with_columns(_span=pl.Series(places).cast(pl.String)), manifest, metric)


def together(spans: Sequence[SpanQuality]) -> tuple[float, float, int]:
    """Mean loss over all rows of the spans, its standard deviation over rows, and the rows."""
    used = [span for span in spans if span.n]
    rows = sum(span.n for span in used)
    if not rows:
        return float("nan"), float("nan"), 0
    mean = sum(span.loss * span.n for span in used) / rows
    square = sum((span.loss_sd**2 + (span.loss - mean) ** 2) * span.n for span in used) / rows
    return mean, float(np.sqrt(square)), rows


def _measure_parts(named: pl.DataFrame, manifest: Manifest, metric: Metric) -> list[SpanQuality]:
    parts = named.partition_by("_span", maintain_order=True)
    return [measure(str(part.item(0, "_span")), part, manifest, metric) for part in parts]


def _truth_texts(truth: pl.Series, manifest: Manifest) -> list[str | None]:
    """Held-out outcomes as text; whole numbers that are no labels are the classes' places."""
    texts = [label_text(value) for value in truth.to_list()]
    if not manifest.classes or not truth.dtype.is_integer():
        return texts
    labels = [label_text(value) for value in manifest.classes]
    if all(text is None or text in labels for text in texts):
        return texts
    return [
        labels[value] if value is not None and 0 <= value < len(labels) else None for value in truth.to_list()
    ]
