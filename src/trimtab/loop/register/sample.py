"""The real rows that a bundle is proved on."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from trimtab.atoms.content.feature_table import FeatureTable
from trimtab.atoms.content.model import Model
from trimtab.atoms.error import StoreError
from trimtab.engine.work import Work
from trimtab.rows.holdout import model_holdout_mask
from trimtab.rows.table import read_table

#: Rows that parity is measured on, at most.
PARITY_ROWS = 2000
#: Held-out rows whose answers go into the bundle, at most.
ANSWERED_ROWS = 100_000

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of a feature table with the request rows that they were computed from."""

    #: The table's rows, and the source's rows in the same order.
    table: pl.DataFrame
    raw: pl.DataFrame
    #: Places of the held-out rows, in order.
    held: Places
    #: Places of the rows that parity is measured on: held-out ones, evenly spread; the whole table where it
    #: is small.
    parity: Places


def take_sample(work: Work, model: Model, table: FeatureTable, raw_rows: pl.DataFrame) -> Sample:
    """Gather the rows.

    Raises:
        StoreError: The request rows are not those of the table.
    """
    frame = pl.concat([read_table(work.part(span.table)) for span in table.spans], how="vertical_relaxed")
    raw = _aligned(frame, raw_rows, table)
    held = np.flatnonzero(model_holdout_mask(frame, model))
    wanted = held if len(held) >= PARITY_ROWS or frame.height > PARITY_ROWS else np.arange(frame.height)
    return Sample(frame, raw, _spread(held, ANSWERED_ROWS), _spread(wanted, PARITY_ROWS))


def _spread(places: Places, most: int) -> Places:
    """At most `most` of the places, evenly spread."""
    if len(places) <= most:
        return places
    return places[np.unique(np.linspace(0, len(places) - 1, most).round().astype(np.int64))]


def _aligned(frame: pl.DataFrame, raw: pl.DataFrame, table: FeatureTable) -> pl.DataFrame:
    """The request rows in the table's order, by key where there is one."""
    key = table.key
    if key is not None and key in raw.columns and key in frame.columns:
        if raw.height == frame.height and raw[key].equals(frame[key]):
            return raw
        joined = frame.select(pl.col(key).cast(raw.schema[key])).join(
            raw.unique(key, keep="first"), on=key, how="inner", maintain_order="left"
        )
        if joined.height == frame.height:
            return joined.select(raw.columns)
    elif raw.height == frame.height:
        return raw
    raise StoreError(
        f"model {table.model!r}: {raw.height:,} request rows do not match the table's {frame.height:,}: "
        "materialize the table from the same snapshot and register again"
    )
