"""The same features offline and online: stored rows computed again as a request would have them."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from trimtab.atoms.content.bundle import ViewInput
from trimtab.ports.online_features import OnlineFeatures
from trimtab.rows.bundle_features import online_join
from trimtab.rows.feature_frame import served_frame
from trimtab.spec.feature import RequestFeatures

#: Newest rows that are computed again.
SAMPLE_ROWS = 200
#: Relative difference of two floats that is rounding: well under what the float32 of the encoding can tell.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Parity:
    """What came of it."""

    rows: int
    differing: int
    #: The feature that differs in most rows.
    worst: str = ""
    #: Views of which nothing is online.
    absent: tuple[str, ...] = ()


def compare_paths(
    rows: pl.DataFrame,
    offline: pl.DataFrame,
    names: Sequence[str],
    functions: Sequence[RequestFeatures],
    views: Sequence[ViewInput],
    online: OnlineFeatures,
    event_time: str | None,
) -> Parity:
    """Compute the newest rows one by one by the serving path and compare with the table.

    Only rows up to the newest value that each view has online are compared: later ones wait for the next
    materialisation.

    Args:
        rows: Rows as a request has them.
        offline: The features of the same rows, in the same order.
        names: The features to compare.
    """
    absent = tuple(view.view for view in views if online.newest(view.view) is None)
    if absent:
        return Parity(0, 0, absent=absent)
    places = _newest(rows, [online.newest(view.view) or 0 for view in views], event_time)
    if not places:
        return Parity(0, 0)
    again = [
        _served(rows.slice(place, 1), functions, views, online, event_time).select(names) for place in places
    ]
    served, stored = pl.concat(again), offline.select(names)[places]
    differs = {name: _differs(served[name], stored[name]) for name in names}
    differing = int(pl.DataFrame(differs).select(pl.any_horizontal(pl.all())).to_series().sum())
    worst = max(names, key=lambda name: int(differs[name].sum()))
    return Parity(len(places), differing, worst if differing else "")


def _differs(served: pl.Series, stored: pl.Series) -> pl.Series:
    """Which values differ; a float may differ in its last digits, as a column of one row is computed otherwise."""
    unequal = served.ne_missing(stored)
    if not (served.dtype.is_float() and stored.dtype.is_float()):
        return unequal
    near = (served - stored).abs() <= ROUNDING * stored.abs()
    return unequal & ~near.fill_null(False)


def _newest(rows: pl.DataFrame, reaches_us: list[int], event_time: str | None) -> list[int]:
    placed = rows.with_row_index("\x00place")
    if event_time is not None:
        reach = min(reaches_us, default=None)
        if reach is not None:
            placed = placed.filter(pl.col(event_time).dt.epoch("us") <= reach)
        placed = placed.sort(event_time, maintain_order=True)
    return placed["\x00place"].tail(SAMPLE_ROWS).to_list()


def _served(
    row: pl.DataFrame,
    functions: Sequence[RequestFeatures],
    views: Sequence[ViewInput],
    online: OnlineFeatures,
    event_time: str | None,
) -> pl.DataFrame:
    frame = served_frame(row, functions)
    if event_time is not None:
        for view in views:
            frame = online_join(frame, row[event_time], view, online)
    return frame
