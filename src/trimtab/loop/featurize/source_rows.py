"""The rows that features are computed from."""

from collections.abc import Collection

import polars as pl

from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.atoms.error import UsageError
from trimtab.engine.work import Work
from trimtab.rows.table import read_table


def chosen_spans(snapshot: Snapshot, names: Collection[str]) -> list[Span]:
    """The snapshot's spans with these names, in order of time.

    Raises:
        UsageError: A name is no span of the snapshot, or there is none to choose.
    """
    known = {span.name for span in snapshot.spans}
    unknown = sorted(set(names) - known)
    if unknown:
        raise UsageError(f"source {snapshot.source!r} has no span {unknown[0]!r}: see `trimtab status`")
    if not names:
        raise UsageError(f"source {snapshot.source!r}: no span to compute features from, validate one first")
    return [span for span in snapshot.spans if span.name in names]


def all_rows(work: Work, spans: Collection[Span]) -> pl.DataFrame:
    """The rows of the spans, one after the other."""
    return pl.concat([read_table(work.part(span.table)) for span in spans])
