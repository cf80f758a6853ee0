"""Sealing: a stretch of the prediction log becomes a window that never changes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.window import ServedBy, Window
from trimtab.atoms.instant import iso, parse_instant
from trimtab.engine.work import Work
from trimtab.loop.monitor.record import LoggedOutcome, LoggedPrediction, OutcomeBook, read_predictions
from trimtab.rows.served_row import FEATURE, INPUT, SERVED_COLUMNS, VALUE, answered
from trimtab.rows.table import table_bytes

_ISO = "%Y-%m-%dT%H:%M:%S%.fZ"
_PARQUET = "application/vnd.apache.parquet"


def seal(
    work: Work,
    *,
    model: str,
    records: Iterable[bytes | LoggedPrediction],
    outcomes: OutcomeBook | Iterable[bytes | LoggedOutcome],
    first: datetime,
    last: datetime,
    span: str,
    key: str | None,
    event_time: str | None,
) -> Artifact:
    """Keep what was served between two moments as a window, with the outcomes known by now.

    Args:
        model: Name of the model.
        records: Prediction log, at least all that falls into the window; (request, role) counts once.
        outcomes: Outcomes stream, or a book of it that is kept between calls.
        first: Start of the window.
        last: Its end, not included.
        span: The window's name in the sequence of windows.
        key: Column by which outcomes may name a row.
        event_time: Column that places a row in time; None, or a row without it: when it was asked.

    Returns:
        The window's artifact. Without rows it is a window all the same: silence is a finding.
    """
    book = outcomes if isinstance(outcomes, OutcomeBook) else OutcomeBook(outcomes)
    predictions = read_predictions(records)
    frame, chosen = _served_rows(predictions, first, last, event_time)
    frame = _with_truth(frame, book, key)
    given = answered(frame)
    body = table_bytes(frame)
    work.note = f"{span}: {given.height:,} rows, {given.get_column('truth').count():,} with outcome"
    return work.keep(
        Window(
            model=model,
            span=span,
            first=iso(first),
            last=iso(last),
            rows=given.height,
            outcomes=given.get_column("truth").count(),
            table=work.keep_bytes(body, _PARQUET),
            served=_served_by(chosen),
        )
    )


def _served_rows(
    predictions: Sequence[LoggedPrediction], first: datetime, last: datetime, event_time: str | None
) -> tuple[pl.DataFrame, list[LoggedPrediction]]:
    """The rows within the window in order of time, and the records that have one there."""
    layouts: dict[tuple[Any, ...], list[LoggedPrediction]] = {}
    for prediction in predictions:
        layouts.setdefault((*prediction.inputs, None, *prediction.features), []).append(prediction)
    parts, chosen = [_nothing()], []
    for group in layouts.values():
        rows = [prediction.rows for prediction in group]
        moments = _moments(group, rows, event_time)
        within = (moments >= first) & (moments < last)
        if not within.any():
            continue
        frame = _group_frame(group, rows, moments).filter(within)
        parts.append(frame.drop("_record"))
        chosen += [group[place] for place in frame.get_column("_record").unique().sort()]
    frame = pl.concat(parts, how="diagonal_relaxed")
    return frame.sort("event_time", "request_id", "role", "row", maintain_order=True), chosen


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema=SERVED_COLUMNS)


def _group_frame(group: Sequence[LoggedPrediction], rows: Sequence[int], moments: pl.Series) -> pl.DataFrame:
    """Rows of records that have the same columns."""
    served = pl.DataFrame(
        {
            "request_id": [record.id for record in group],
            "bundle": [record.bundle for record in group],
            "version": [record.version for record in group],
            "role": [record.role for record in group],
            "fell_back": [record.fell_back for record in group],
            "failed": [record.error is not None for record in group],
            "latency_ms": pl.Series([record.latency_ms for record in group], dtype=pl.Float64),
        }
    ).with_row_index("_record")
    place = pl.Series("_record", range(len(group)), dtype=pl.UInt32).repeat_by(pl.Series(rows)).explode()
    columns = [pl.Series("row", [row for count in rows for row in range(count)], dtype=pl.Int64)]
    columns.append(moments.alias("event_time"))
    features, inputs = group[0].features, group[0].inputs
    columns += [
        _column(FEATURE + name, [record.features[name] for record in group], rows) for name in features
    ]
    columns += [
        _column(INPUT + name, [record.inputs[name] for record in group], rows)
        for name in inputs
        if name not in features
    ]
    columns += _answers(group, rows)
    return served[place].with_columns(columns)


def _column(name: str, values: Sequence[list[Any]], rows: Sequence[int]) -> pl.Series:
    flat = [value for given, count in zip(values, rows, strict=True) for value in _exactly(given, count)]
    try:
        return pl.Series(name, flat, strict=True)
    except (TypeError, pl.exceptions.PolarsError):  # ints and floats in one column, or worse
        return pl.Series(name, flat, strict=False)


def _exactly(values: Sequence[Any] | None, count: int) -> Sequence[Any]:
    """`values`, or as many Nones where a record is not what its other columns say."""
    return values if values is not None and len(values) == count else [None] * count


def _answers(group: Sequence[LoggedPrediction], rows: Sequence[int]) -> list[pl.Series]:
    """`value`, or `p0`, `p1` ... as wide as the widest answer."""
    flat = [
        answer
        for record, count in zip(group, rows, strict=True)
        for answer in _exactly(record.answers, count)
    ]
    classes = max((len(answer) for answer in flat if isinstance(answer, list)), default=0)
    if not classes:
        return [pl.Series(VALUE, flat, dtype=pl.Float64, strict=False)]
    none = [None] * classes
    wide = [answer if isinstance(answer, list) and len(answer) == classes else none for answer in flat]
    return [
        pl.Series(f"p{place}", [answer[place] for answer in wide], dtype=pl.Float64, strict=False)
        for place in range(classes)
    ]


def _moments(group: Sequence[LoggedPrediction], rows: Sequence[int], event_time: str | None) -> pl.Series:
    """When each row speaks of: its event time, else when it was asked."""
    asked = [record.at for record, count in zip(group, rows, strict=True) for _ in range(count)]
    if event_time is None or event_time not in group[0].inputs:
        return _read_moments(asked)
    column = [record.inputs[event_time] for record in group]
    spoken = [value for given, count in zip(column, rows, strict=True) for value in _exactly(given, count)]
    return _read_moments(
        [mine if mine is not None else other for mine, other in zip(spoken, asked, strict=True)]
    )


def _read_moments(texts: Sequence[Any]) -> pl.Series:
    words = [str(text) for text in texts]
    fast = pl.Series(words, dtype=pl.String).str.to_datetime(
        _ISO, time_unit="us", time_zone="UTC", strict=False
    )
    if not fast.null_count():
        return fast
    return pl.Series([parse_instant(word) for word in words], dtype=pl.Datetime("us", "UTC"))


def _with_truth(frame: pl.DataFrame, book: OutcomeBook, key: str | None) -> pl.DataFrame:
    named = next((name for name in (INPUT + str(key), FEATURE + str(key)) if name in frame.columns), None)
    keys = frame.get_column(named).to_list() if key is not None and named else None
    truths = book.truths(frame.get_column("request_id").to_list(), frame.get_column("row").to_list(), keys)
    return frame.with_columns(pl.Series("truth", truths, dtype=pl.String))


def _served_by(records: Sequence[LoggedPrediction]) -> tuple[ServedBy, ...]:
    groups: dict[tuple[str, int, str], list[LoggedPrediction]] = {}
    for record in records:
        groups.setdefault((record.bundle, record.version, record.role), []).append(record)
    return tuple(
        _summary(bundle, version, role, group) for (bundle, version, role), group in sorted(groups.items())
    )


def _summary(bundle: str, version: int, role: str, group: Sequence[LoggedPrediction]) -> ServedBy:
    latency = pl.Series(
        [record.latency_ms for record in group if record.error is None and record.latency_ms is not None],
        dtype=pl.Float64,
    )
    return ServedBy(
        bundle=bundle,
        version=version,
        role=role,
        requests=len(group),
        rows=sum(record.rows for record in group),
        errors=sum(record.error is not None for record in group),
        latency_ms_p50=_quantile(latency, 0.5),
        latency_ms_p99=_quantile(latency, 0.99),
    )


def _quantile(values: pl.Series, share: float) -> float | None:
    found = values.quantile(share, "linear")
    return None if found is None else round(float(found), 4)
