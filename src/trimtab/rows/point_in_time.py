"""Point in time: rows get what a view knew at their moment, never what came later."""

from collections.abc import Sequence

import polars as pl

from trimtab.atoms.content.bundle import ViewInput
from trimtab.atoms.error import UsageError
from trimtab.rows.column import columns_of
from trimtab.rows.feature_frame import collected
from trimtab.rows.moment import with_moments
from trimtab.spec.duration import parse_duration
from trimtab.spec.feature import FeatureView


def value_time(view: FeatureView) -> str:
    """The column by which the view is joined: when a value became known, else when it happened."""
    source = view.source
    return source.known_time or source.event_time or ""


def view_rows(view: FeatureView, source_rows: pl.DataFrame) -> pl.DataFrame:
    """The view's values, ordered by the time they are joined by.

    A value that an entity's newer event had overtaken when it became known is left out, so that the newest
    row at a moment is the newest event known then. Of rows of one entity at one time the last stays.

    Raises:
        UsageError: The function failed, or dropped the entity or a time column.
    """
    where = f"feature view {view.name!r}"
    event, known = view.source.event_time, view.source.known_time
    if event is None:
        raise UsageError(f"{where}: the source needs event_time= for a point-in-time join")
    values = collected(source_rows, view.compute, where)
    for name in (view.entity, event, *([known] if known else [])):
        if name not in values.columns:
            there = ", ".join(values.columns)
            raise UsageError(f"{where} dropped the column {name!r}: keep it; there are {there}")
    values = with_moments(values, event, where).drop_nulls([view.entity, event])
    if known is None:
        kept = values.sort(event, maintain_order=True)
        return kept.unique([view.entity, event], keep="last", maintain_order=True)
    values = with_moments(values, known, where)
    values = values.with_columns(pl.max_horizontal(known, event)).sort(known, event, maintain_order=True)
    overtaken = pl.col(event) < pl.col(event).cum_max().over(view.entity)
    return values.filter(~overtaken).unique([view.entity, known], keep="last", maintain_order=True)


def view_input(view: FeatureView, values: pl.DataFrame) -> ViewInput:
    """What serving must know of a view; the columns are in the order of its online values."""
    own = {view.entity, view.source.event_time, view.source.known_time}
    age = parse_duration(view.max_age, f"feature view {view.name!r}: max_age") if view.max_age else None
    return ViewInput(
        view=view.name,
        entity=view.entity,
        columns=tuple(column for column in columns_of(values) if column.name not in own),
        max_age_seconds=age.total_seconds() if age else None,
    )


def join_as_of(
    rows: pl.DataFrame,
    moments: pl.Series,
    entity: str,
    values: pl.DataFrame,
    value_time: str,
    columns: Sequence[str],
    max_age_seconds: float | None,
) -> pl.DataFrame:
    """Give each row the newest value of its entity at or before its moment.

    Args:
        moments: The rows' moments, UTC, one a row; a missing one finds nothing.
        values: A view's rows, as `view_rows` gives them.
        columns: Columns of `values` to add, in order.
        max_age_seconds: Oldest value that counts; None: any age.

    Returns:
        The rows in their order with the columns added; missing where nothing was known.

    Raises:
        UsageError: The rows lack the entity, or have a column of the same name as one that is added.
    """
    if entity not in rows.columns:
        there = ", ".join(rows.columns)
        raise UsageError(f"the rows have no column {entity!r} to join a feature view on; there are {there}")
    for name in columns:
        if name in rows.columns:
            raise UsageError(f"column {name!r} is in the rows and in a feature view: rename one of the two")
    left = pl.DataFrame(
        {
            "place": pl.int_range(rows.height, eager=True),
            "entity": entity_text(rows[entity]),
            "moment": microseconds(moments),
        }
    ).drop_nulls()
    right = values.select(
        entity_text(values[entity]).alias("entity"),
        microseconds(values[value_time]).alias("moment"),
        *(pl.col(name).alias(f"value {place}") for place, name in enumerate(columns)),
    ).sort("moment", maintain_order=True)
    found = left.sort("moment").join_asof(
        right,
        on="moment",
        by="entity",
        strategy="backward",
        tolerance=None if max_age_seconds is None else round(max_age_seconds * 1e6),
        check_sortedness=False,  # both sides were sorted above
    )
    added = pl.DataFrame({"place": pl.int_range(rows.height, eager=True)}).join(
        found.drop("entity", "moment"), on="place", how="left", maintain_order="left"
    )
    return rows.with_columns(added[f"value {place}"].alias(name) for place, name in enumerate(columns))


def entity_text(column: pl.Series) -> pl.Series:
    """Entities as the text they are joined and looked up by: `7` for 7 and for 7.0."""
    if column.dtype.is_float():
        whole = column.is_finite() & (column == column.floor()) & (column.abs() < 2**53)
        texts = column.set(~whole, None).cast(pl.Int64).cast(pl.String)
        return texts.zip_with(whole.fill_null(True), column.cast(pl.String))
    return column.cast(pl.String)


def microseconds(moments: pl.Series) -> pl.Series:
    """Moments as microseconds since 1970, UTC."""
    return moments.dt.epoch("us")
