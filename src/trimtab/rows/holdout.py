"""Which rows training never sees: the newest days, or a share that each row's own digest decides."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from trimtab.atoms.content.model import Model
from trimtab.atoms.instant import iso, parse_instant
from trimtab.rows.moment import as_moment

#: Fewest days that a hold-out should have, so that an interval over days says something.
FEWEST_DAYS = 10
#: Largest share that may be held out to get that many days.
LARGEST_SHARE = 1 / 3
#: Blocks of rows that have no event time, or too few days.
MOST_BLOCKS = 50
_DAY_US = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Mask = NDArray[np.bool_]


def holdout_mask(
    frame: pl.DataFrame,
    *,
    event_time: str | None,
    key: str | None,
    share: float,
    classes: pl.Series | None,
    features: Sequence[str] = (),
    target: str = "",
) -> Mask:
    """Which rows are held out.

    With an event time: every row from some moment on, so that a model is judged on days after those it learnt
    from. Without: rows by the digest of their key (of the whole row, without one), so that a row stays on its
    side when others come; a class that would be missing on one side gets a row there.

    Args:
        share: Share of days (or of rows) to hold out, in (0, 1).
        classes: The target of a classification, shape (rows,); None for regression.
        features: With `target` the columns that a row without a key is known by; all columns, where not
            given.

    Returns:
        Shape (rows,). Neither side is empty where there are two rows or more.
    """
    start = holdout_start(frame, event_time=event_time, share=share)
    if start is not None and event_time is not None:
        return since(frame, event_time, start)
    known = row_content(frame, features, target, key) if features else frame
    return _by_digest(_digests(known, key), share, classes)


def holdout_start(frame: pl.DataFrame, *, event_time: str | None, share: float) -> datetime | None:
    """The moment from which rows are held out; None where they are held out by digest.

    Whole days where there are enough; else the moment that leaves the wanted share of rows behind it.
    """
    if event_time is None or frame.height < 2:
        return None
    moments = _microseconds(frame, event_time)
    days = np.unique(moments // _DAY_US)
    wanted = max(math.ceil(share * len(days)), FEWEST_DAYS)
    if wanted <= max(share, LARGEST_SHARE) * len(days):
        return _moment(int(days[-wanted]) * _DAY_US)
    ordered = np.sort(moments)
    cut = ordered[min(int((1 - share) * len(ordered)), len(ordered) - 1)]
    if cut == ordered[0]:  # one moment holds most of the rows: the next one, if there is one
        later = ordered[ordered > cut]
        if not len(later):
            return None
        cut = later[0]
    return _moment(int(cut))


def since(frame: pl.DataFrame, event_time: str, start: datetime) -> Mask:
    """Which rows speak of `start` or a later moment."""
    return np.asarray(_microseconds(frame, event_time) >= (start - _EPOCH) // timedelta(microseconds=1))


def model_holdout(frame: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The rows that `model` never saw, chosen as its training chose them; newer ones are among them.

    Args:
        frame: Rows of a feature table whose target is known; further columns do not matter.
    """
    return frame.filter(model_holdout_mask(frame, model))


def model_holdout_mask(frame: pl.DataFrame, model: Model) -> Mask:
    """`model_holdout` as a mask, shape (rows,)."""
    if model.holdout_from is not None:
        moments = [name for name, dtype in frame.schema.items() if dtype == pl.Datetime]
        return since(frame, model.event_time or moments[0], parse_instant(model.holdout_from))
    classes = frame.get_column(model.target) if model.task == "classification" and model.target else None
    names = [column.name for column in model.encoding.columns]
    return _by_digest(
        _digests(row_content(frame, names, model.target, model.key), model.key), model.holdout_share, classes
    )


def row_content(
    frame: pl.DataFrame, features: Sequence[str], target: str, key: str | None = None
) -> pl.DataFrame:
    """The columns that a row without a key is known by."""
    own = [name for name in (key, *features, target) if name]
    return frame.select(list(dict.fromkeys(own)))


def blocks(frame: pl.DataFrame, event_time: str | None, key: str | None) -> NDArray[np.int64]:
    """The block of each row, for intervals by block: its day, or one of 50 by the digest of key or row.

    Rows of fewer than 10 days are cut into up to 50 stretches of equal length instead.

    Returns:
        Shape (rows,); blocks of time rise with time.
    """
    if event_time is None:
        return (_digests(frame, key) % np.uint64(MOST_BLOCKS)).astype(np.int64)
    moments = _microseconds(frame, event_time)
    days = (moments // _DAY_US).astype(np.int64)
    if len(np.unique(days)) >= FEWEST_DAYS:
        return days
    place = np.empty(len(moments), dtype=np.int64)
    place[np.argsort(moments, kind="stable")] = np.arange(len(moments))
    return np.asarray(place * MOST_BLOCKS // max(len(moments), 1))


def start_text(start: datetime | None) -> str | None:
    """How a model keeps the start of its hold-out."""
    return None if start is None else iso(start)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _microseconds(frame: pl.DataFrame, event_time: str) -> NDArray[np.int64]:
    column = as_moment(frame.get_column(event_time)).dt.epoch("us")
    return column.fill_null(column.min()).fill_null(0).to_numpy().astype(np.int64)


def _digests(frame: pl.DataFrame, key: str | None) -> NDArray[np.uint64]:
    """A number a row that depends on nothing but the row, and how many equal ones stand before it."""
    if key is not None:
        texts = frame.get_column(key).cast(pl.String).fill_null("")
    else:
        # Equal rows are told apart by their number. Were they all on one side, then the twins of a held-out
        # row among the rows learnt from would be those with another outcome: every model would look wrong.
        rows = frame.select(text=pl.struct(pl.all()).struct.json_encode())
        texts = rows.select(
            pl.concat_str("text", pl.int_range(pl.len()).over("text").cast(pl.String), separator="#")
        ).to_series()
    digest = xxhash.xxh3_64_intdigest
    return np.fromiter((digest(text.encode()) for text in texts), dtype=np.uint64, count=frame.height)


def _by_digest(digests: NDArray[np.uint64], share: float, classes: pl.Series | None) -> Mask:
    held = digests < np.uint64(min(int(share * 2.0**64), 2**64 - 1))
    groups = [np.arange(len(held))]
    if classes is not None:
        codes = classes.rank("dense").fill_null(0).to_numpy()
        groups += [np.flatnonzero(codes == code) for code in np.unique(codes)]
    for places in groups[::-1]:  # the whole last: what a class got may already do
        if len(places) >= 2 and not held[places].any():
            held[places[digests[places].argmin()]] = True
        if len(places) >= 2 and held[places].all():
            held[places[digests[places].argmax()]] = False
    return held
