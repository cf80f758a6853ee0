"""View values are put where serving reads them."""

from collections.abc import Iterator

import polars as pl

from trimtab.atoms.content.snapshot import Snapshot
from trimtab.engine.work import Work
from trimtab.loop.featurize.source_rows import all_rows
from trimtab.ports.online_features import FeatureValue
from trimtab.rows.online_value import online_value
from trimtab.rows.point_in_time import entity_text, microseconds, value_time, view_input, view_rows
from trimtab.spec.feature import FeatureView


def materialize_online(work: Work, view: FeatureView, snapshot_id: str, since_us: int | None = None) -> None:
    """Put the view's values of a snapshot into the online store.

    The view's function always sees all rows, as it does offline; `since_us` bounds only what is put.

    Args:
        since_us: Moment in microseconds from which values are put; None: all. Putting one again is harmless.

    Raises:
        UsageError: The view's function failed, or dropped its entity or time column.
    """
    snapshot = work.read(snapshot_id, Snapshot)
    values = view_rows(view, all_rows(work, snapshot.spans))
    time = value_time(view)
    if since_us is not None:
        values = values.filter(pl.col(time).dt.epoch("us") >= since_us)
    put = work.store.online.put(view.name, _online_rows(view, values, time))
    work.note = f"{put} values of {view.name} online"


def _online_rows(view: FeatureView, values: pl.DataFrame, time: str) -> Iterator[FeatureValue]:
    columns = [column.name for column in view_input(view, values).columns]
    entities = entity_text(values[view.entity]).to_list()
    moments = microseconds(values[time]).to_list()
    for entity, moment, cells in zip(entities, moments, values.select(columns).iter_rows(), strict=True):
        yield FeatureValue(entity=entity, event_time_us=moment, values=tuple(map(online_value, cells)))
