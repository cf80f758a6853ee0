"""The features of a request's rows, computed as training computed them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from trimtab.atoms.content.bundle import Manifest, ViewInput
from trimtab.atoms.error import UsageError
from trimtab.ports.online_features import FeatureValue, OnlineFeatures
from trimtab.rows.column import dtype_of
from trimtab.rows.feature_frame import served_frame
from trimtab.rows.moment import MOMENT
from trimtab.rows.online_value import cell_reader
from trimtab.rows.point_in_time import entity_text, microseconds
from trimtab.spec.feature import RequestFeatures


class BundleFeatures:
    """A bundle's feature code with the online values it reads. Safe to call from several threads."""

    def __init__(
        self, manifest: Manifest, functions: Sequence[RequestFeatures], online: OnlineFeatures
    ) -> None:
        self._functions = tuple(functions)
        self._views = manifest.views
        self._online = online
        self._event_time = manifest.event_time
        self._names = [column.name for column in manifest.encoding.columns]

    def frame(self, rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
        """The features of `rows`, in the encoding's order.

        Args:
            rows: As `read_rows` gives them.
            now: The moment at which views are read where the model has no event time; aware.

        Raises:
            UsageError: The feature code failed, or does not give a feature that the model was trained with.
        """
        frame = served_frame(rows, self._functions)
        if self._views:  # to make the moments costs as much as the functions of one row
            moments = self._moments(rows, now)
            for view in self._views:
                frame = online_join(frame, moments, view, self._online)
        missing = [name for name in self._names if name not in frame.columns]
        if missing:
            raise UsageError(f"the feature code gives no column {missing[0]!r}, which training had")
        return frame.select(self._names)

    def _moments(self, rows: pl.DataFrame, now: datetime) -> pl.Series:
        if self._event_time is None:
            return pl.Series("moment", [now], dtype=MOMENT).new_from_index(0, rows.height)
        return rows[self._event_time]


def online_join(
    rows: pl.DataFrame, moments: pl.Series, view: ViewInput, online: OnlineFeatures
) -> pl.DataFrame:
    """`join_as_of` over the online store: the same rule, one look-up for all rows."""
    if view.entity not in rows.columns:
        raise UsageError(f"the rows have no column {view.entity!r}, by which the view {view.view!r} is read")
    found = _found(rows, moments, view, online)
    oldest_us = None if view.max_age_seconds is None else round(view.max_age_seconds * 1e6)
    added: list[pl.Series] = []
    for place, column in enumerate(view.columns):
        dtype = dtype_of(column.dtype)
        read = cell_reader(dtype)
        cells: list[Any] = [
            None
            if value is None or (oldest_us is not None and moment - value.event_time_us > oldest_us)
            else read(value.values[place])
            for value, moment in found
        ]
        added.append(pl.Series(column.name, cells, dtype=dtype))
    return rows.with_columns(added)


def _found(
    rows: pl.DataFrame, moments: pl.Series, view: ViewInput, online: OnlineFeatures
) -> list[tuple[FeatureValue | None, int]]:
    """The value of each row with the row's moment; rows without an entity or a moment find nothing."""
    wanted = list(zip(entity_text(rows[view.entity]).to_list(), microseconds(moments).to_list(), strict=True))
    asked = [(entity, moment) for entity, moment in wanted if entity is not None and moment is not None]
    answers = iter(online.as_of(view.view, asked) if asked else ())
    return [
        (next(answers), moment) if entity is not None and moment is not None else (None, 0)
        for entity, moment in wanted
    ]
