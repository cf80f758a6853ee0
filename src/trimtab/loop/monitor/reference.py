"""The reference of a bundle: its feature table, cut into blocks of time: a past before there is traffic."""

from datetime import timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.bundle import Bundle, Manifest
from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.content.profile import ColumnProfile, Profile
from trimtab.atoms.content.reference import Reference
from trimtab.engine.work import Work
from trimtab.loop.monitor.column_bins import ANSWERS, learn_bins, number_bins, profile_column
from trimtab.rows.served_row import answer_matrix, answer_summary
from trimtab.rows.table import read_table

#: Blocks that a table is cut into where it does not cover that many windows.
FEWEST_BLOCKS = 20
#: Newest blocks that are kept one by one: 60 to calibrate on, and four weeks before the first of them.
MOST_BLOCKS = 90
#: Rows beyond which older rows add nothing to a reference.
_MOST_ROWS = 2_000_000


def build_reference(work: Work, *, bundle_id: str, table_id: str, every: timedelta) -> Artifact:
    """Profile a bundle's feature table as a whole and by blocks of time.

    Args:
        bundle_id: The bundle that the windows will be judged for.
        table_id: The feature table that it was trained and held out on.
        every: Length of the windows to come; a table that covers 20 of them is cut in the same way.
    """
    manifest = work.read(bundle_id, Bundle).manifest
    table = work.read(table_id, FeatureTable)
    frame = pl.concat([read_table(work.part(span.table)) for span in table.spans], how="vertical_relaxed")
    if table.event_time is not None:
        frame = frame.sort(table.event_time, maintain_order=True)
    frame = frame.tail(_MOST_ROWS)
    names, codes = _blocks(frame, table.event_time, every)
    whole, blocks = [], [list[ColumnProfile]() for _ in names]
    for bins in learn_bins(frame, manifest.encoding):
        values = frame.get_column(bins.name)
        whole += profile_column(values, bins, np.zeros(frame.height, dtype=np.int64), 1)
        for block, profile in zip(
            blocks, profile_column(values, bins, codes, len(names), with_bins=False), strict=True
        ):
            block.append(profile)
    _add_answers(work, manifest, names, every, whole, blocks)
    counts = np.bincount(codes, minlength=len(names))
    reference = Reference(
        model=manifest.model,
        bundle=bundle_id,
        whole=Profile(subject=manifest.model, span="all", rows=frame.height, columns=tuple(whole)),
        blocks=tuple(
            Profile(subject=manifest.model, span=name, rows=int(rows), columns=tuple(columns))
            for name, rows, columns in zip(names, counts, blocks, strict=True)
        )[-MOST_BLOCKS:],
    )
    work.note = f"{frame.height:,} rows in {len(names)} blocks"
    return work.keep(reference)


def span_name(moment: str, every: timedelta) -> str:
    """The name of the block or window that starts at an ISO moment: a date where windows are whole days."""
    return moment[:10] if every >= timedelta(days=1) else moment[:16] + "Z"


def _blocks(
    frame: pl.DataFrame, event_time: str | None, every: timedelta
) -> tuple[list[str], NDArray[np.int64]]:
    """Names of the blocks in order of time, and the block of each row."""
    if event_time is not None and frame.height:
        starts = _starts(frame.get_column(event_time), every)
        distinct = starts.unique().drop_nulls().sort()
        if len(distinct) >= FEWEST_BLOCKS:
            codes = distinct.search_sorted(starts.fill_null(strategy="forward").fill_null(distinct[0]))
            return [span_name(text, every) for text in _texts(distinct)], codes.to_numpy().astype(np.int64)
    count = min(FEWEST_BLOCKS, max(frame.height, 1))
    codes_by_place = np.arange(frame.height, dtype=np.int64) * count // max(frame.height, 1)
    return [f"block-{place + 1:02d}" for place in range(count)], codes_by_place


def _starts(moments: pl.Series, every: timedelta) -> pl.Series:
    micro = round(every.total_seconds() * 1e6)
    whole = moments.cast(pl.Datetime("us")) if moments.dtype == pl.Date else moments
    return whole.dt.epoch("us") // micro * micro


def _texts(starts: pl.Series) -> list[str]:
    return starts.cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M").to_list()


def _add_answers(
    work: Work,
    manifest: Manifest,
    names: list[str],
    every: timedelta,
    whole: list[ColumnProfile],
    blocks: list[list[ColumnProfile]],
) -> None:
    """The model's answers as one more column: known for the held-out rows only."""
    if manifest.holdout_answers is None:
        return
    frame = read_table(work.part(manifest.holdout_answers))
    values = answer_summary(answer_matrix(frame, len(manifest.classes)))
    bins = number_bins(ANSWERS, "Float64", values)
    column = pl.Series(ANSWERS, values)
    whole += profile_column(column, bins, np.zeros(frame.height, dtype=np.int64), 1)
    if "event_time" not in frame.columns or frame.get_column("event_time").null_count():
        return
    places = {name: place for place, name in enumerate(names)}
    days = [span_name(text, every) for text in _texts(_starts(frame.get_column("event_time"), every))]
    codes = np.array([places.get(day, -1) for day in days], dtype=np.int64)
    if not np.any(codes >= 0):
        return
    profiles = profile_column(column.filter(codes >= 0), bins, codes[codes >= 0], len(names), with_bins=False)
    for block, profile in zip(blocks, profiles, strict=True):
        if profile.n:
            block.append(profile)
