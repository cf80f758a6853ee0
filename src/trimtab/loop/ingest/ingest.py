"""A source's files become a snapshot: every row once, in the span that it belongs to."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import polars as pl

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.atoms.instant import iso
from trimtab.engine.work import Work
from trimtab.loop.ingest.arrival import fingerprint, read_arrival
from trimtab.loop.ingest.cut import LABEL, Before, Distinct, copies, cut, distinct, labelled, ordered
from trimtab.rows.column import columns_of
from trimtab.rows.table import read_table, table_bytes
from trimtab.spec.source import Source

__all__ = ["fingerprint", "ingest"]

#: Largest share of rows that may be duplicates.
MOST_DUPLICATES = 0.01


def ingest(
    work: Work,
    source: Source,
    files: Sequence[Path],
    previous: str | None,
    *,
    most_duplicates: float = MOST_DUPLICATES,
    prints: Mapping[str, str] | None = None,
) -> None:
    """Make the snapshot of all rows in `files`; spans whose rows did not change keep their blobs.

    Args:
        previous: Artifact id of the source's newest snapshot.
        prints: Of `files`, where they were read already.

    Raises:
        UsageError: A file cannot be read, or a declared column is not there or holds no moments.
    """
    before = work.read(previous, Snapshot) if previous is not None else None
    prints = fingerprint(files) if prints is None else prints
    arrival = read_arrival(source, files, prints, before)
    old = {span.name: span for span in before.spans} if before is not None else {}
    rows = labelled(arrival.rows, source, _unordered(work, source, old, match=not arrival.adds))
    known = _known(work, source, old, rows) if arrival.adds else None
    kept = distinct(rows, source, known)
    spans, fresh = _spans(work, source, kept, old, adds=arrival.adds)
    snapshot = work.keep(
        Snapshot(
            source=source.name,
            columns=columns_of(arrival.rows),
            spans=tuple(spans),
            key=source.key,
            event_time=source.event_time,
            known_time=source.known_time,
            files=dict(prints),
        )
    )
    rules = work.rules("ingest", {"most_duplicates": most_duplicates})
    _judge_duplicates(work, rules, snapshot, source, arrival.rows, kept, most_duplicates)
    _judge_freshness(work, rules, snapshot, previous, fresh, spans)
    work.note = _note(fresh, spans, old, arrival.undated)


def _unordered(work: Work, source: Source, old: dict[str, Span], *, match: bool) -> list[Before]:
    """The previous spans of a source without event time, with their rows where they are to be matched."""
    if source.event_time is not None:
        return []
    return [Before(name, read_table(work.part(span.table)) if match else None) for name, span in old.items()]


def _known(work: Work, source: Source, old: dict[str, Span], rows: pl.DataFrame) -> pl.DataFrame | None:
    """What tells the rows of earlier ingests apart, from every span that may hold a row twice."""
    reached = set(old) if source.event_time is None else set(old) & set(rows[LABEL].unique())
    if not source.identity or not reached:
        return None
    tables = [read_table(work.part(old[name].table)) for name in sorted(reached)]
    return pl.concat([table.select(source.identity) for table in tables])


def _spans(
    work: Work, source: Source, kept: Distinct, old: dict[str, Span], *, adds: bool
) -> tuple[list[Span], int]:
    """The spans after this ingest in order, and how many of their rows were not there before."""
    spans = dict(old) if adds else {}
    newest = max(old, default="")
    fresh = 0
    for name, rows in cut(kept.rows, source).items():
        was = old.get(name)
        earlier = read_table(work.part(was.table)) if was is not None else None
        table = ordered(pl.concat([earlier, rows]), source) if adds and earlier is not None else rows
        part = work.keep_bytes(table_bytes(table), "application/vnd.apache.parquet")
        came = rows.height if adds or earlier is None else _came(rows, earlier, source)
        closed = was is not None and name < newest and source.event_time is not None
        fresh += came
        spans[name] = Span(
            name=name,
            rows=table.height,
            table=part,
            first=_moment(table, source.event_time, 0),
            last=_moment(table, source.event_time, -1),
            duplicates=was.duplicates if was is not None and adds else 0,
            late=(was.late if was is not None else 0) + (came if closed else 0),
        )
    for name in spans.keys() & kept.dropped.keys():
        duplicates = spans[name].duplicates + kept.dropped[name]
        spans[name] = msgspec.structs.replace(spans[name], duplicates=duplicates)
    return [spans[name] for name in sorted(spans)], fresh


def _came(rows: pl.DataFrame, earlier: pl.DataFrame, source: Source) -> int:
    """Rows of a span that it did not have at the previous ingest."""
    names = source.identity
    if not names or any(earlier.schema.get(name) != rows.schema[name] for name in names):
        return max(rows.height - earlier.height, 0)
    return rows.join(earlier, on=names, how="anti", nulls_equal=True).height


def _moment(table: pl.DataFrame, event_time: str | None, place: int) -> str | None:
    return iso(table[event_time][place]) if event_time is not None else None


def _judge_duplicates(
    work: Work,
    rules: Artifact,
    snapshot: Artifact,
    source: Source,
    read: pl.DataFrame,
    kept: Distinct,
    most: float,
) -> None:
    """Rows with a key that was there already; without a key, rows equal to another, which are kept."""
    keyed = source.key is not None
    doubled = read.height - kept.rows.height if keyed else copies(read)
    share = doubled / read.height
    within = share <= most
    counted = f"{doubled} of {read.height} rows ({share:.2%})"
    if keyed:
        says = f"{counted} have a {' and '.join(source.identity)} that was there before; dropped"
    else:
        says = f"{counted} are copies of another row; kept, as no key is declared"
    work.judge(
        "ingest.duplicates",
        rules,
        snapshot.id,
        reading=Reading(value=share, unit="share", n=read.height),
        limit=Limit(at_most=most),
        verdict=Verdict.PASS if within else Verdict.FAIL if keyed else Verdict.UNSURE,
        says=f"{says}; the limit is {most:.2%}",
    )


def _judge_freshness(
    work: Work, rules: Artifact, snapshot: Artifact, previous: str | None, fresh: int, spans: list[Span]
) -> None:
    newest = spans[-1].last if spans else None
    reaching = f", the newest of {newest}" if newest else ""
    work.judge(
        "ingest.freshness",
        rules,
        snapshot.id,
        baseline=previous,
        reading=Reading(value=float(fresh), unit="rows", n=fresh),
        limit=Limit(at_least=1.0),
        verdict=Verdict.PASS if fresh else Verdict.UNSURE,
        says=f"{fresh} new rows came{reaching}" if fresh else f"no new row came{reaching}",
    )


def _note(fresh: int, spans: list[Span], old: dict[str, Span], undated: int) -> str:
    new = sum(span.name not in old for span in spans)
    late = sum(span.late for span in spans) - sum(span.late for span in old.values())
    parts = [f"{fresh} new rows, {new} new spans of {len(spans)}"]
    if late > 0:
        parts.append(f"{late} rows came late")
    if undated:
        parts.append(f"{undated} rows without an event time left out")
    return "; ".join(parts)
