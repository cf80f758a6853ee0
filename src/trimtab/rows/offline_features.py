"""The features of stored rows: what `BundleFeatures` computes for a request, computed for a whole table."""

from collections.abc import Sequence

import polars as pl

from trimtab.atoms.error import UsageError
from trimtab.rows.feature_frame import request_frame
from trimtab.rows.point_in_time import join_as_of, value_time, view_input
from trimtab.spec.feature import FeatureView, RequestFeatures


def offline_features(
    rows: pl.DataFrame,
    functions: Sequence[RequestFeatures],
    views: Sequence[tuple[FeatureView, pl.DataFrame]],
    event_time: str | None,
) -> pl.DataFrame:
    """Request features, then each view as of the rows' event time.

    Args:
        rows: Rows of a source, without the target: no feature may read it.
        views: Each view with its values, as `view_rows` gives them.

    Raises:
        UsageError: A function failed, the rows have no event time or entity to join by, or two columns have
            one name.
    """
    frame = request_frame(rows, functions)
    for view, values in views:
        where = f"feature view {view.name!r}"
        if event_time is None:
            raise UsageError(f"{where}: the rows' source needs event_time= for a point-in-time join")
        columns = [column.name for column in view_input(view, values).columns]
        clash = next((name for name in columns if name in frame.columns), None)
        if clash is not None:
            raise UsageError(f"{where}: the rows have a column {clash!r} too: rename it in the view")
        if view.entity not in frame.columns:
            raise UsageError(f"{where}: the rows have no column {view.entity!r} to join on")
        age = view_input(view, values).max_age_seconds
        frame = join_as_of(frame, rows[event_time], view.entity, values, value_time(view), columns, age)
    return frame
