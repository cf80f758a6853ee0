"""What became of a table's rows between two versions: 10 million are compared in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from trimtab.rows.column import columns_of

_SPAN, _PRINT, _TIMES, _OLD, _NEW = "\x00span", "\x00print", "\x00times", "\x00old", "\x00new"


@dataclass(slots=True)
class TableDiff:
    """Rows by what became of them. Without a key a changed row is one removed and one added."""

    added: int = 0
    removed: int = 0
    changed: int = 0
    unchanged: int = 0
    #: By span: added, removed, changed; spans without a difference are left out.
    spans: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    columns_added: list[str] = field(default_factory=list)
    columns_removed: list[str] = field(default_factory=list)
    #: Column, type before, type after.
    retyped: list[tuple[str, str, str]] = field(default_factory=list)
    #: Rows of each sort, as JSON values; of changed rows the new values, and in `was` the old ones that differ.
    sample: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def diff_tables(
    before: Sequence[tuple[str, pl.DataFrame]],
    after: Sequence[tuple[str, pl.DataFrame]],
    identity: Sequence[str],
    *,
    sample: int = 5,
) -> TableDiff:
    """Compare two versions of a table.

    Args:
        before: Spans by name with their rows; those that both versions share may be left out.
        identity: Columns that name a row; empty: a row is the same where all its values are.
        sample: Rows of each sort to show.
    """
    found = TableDiff()
    was, now = _together(before), _together(after)
    if was is None or now is None:
        _count_alone(found, was, now, sample)
        return found
    _compare_columns(found, was, now)
    common = [name for name in now.columns if name in was.columns and name != _SPAN]
    was = was.select(_SPAN, *(pl.col(name).cast(now.schema[name], strict=False) for name in common))
    now = now.select(_SPAN, *common)
    names = [name for name in identity if name in common]
    if names:
        nameless = pl.any_horizontal(pl.col(name).is_null() for name in names)
        was_printed, now_printed = (_printed(rows.filter(~nameless), common, names) for rows in (was, now))
        _count(found, was_printed, now_printed, names, common, sample)
        was, now = was.filter(nameless), now.filter(nameless)
    _count(found, _printed(was, common, ()), _printed(now, common, ()), [_PRINT], common, sample)
    return found


def _together(spans: Sequence[tuple[str, pl.DataFrame]]) -> pl.DataFrame | None:
    if not spans:
        return None
    labelled = [rows.with_columns(pl.lit(name).alias(_SPAN)) for name, rows in spans]
    return pl.concat(labelled, how="diagonal_relaxed", rechunk=True)


def _compare_columns(found: TableDiff, was: pl.DataFrame, now: pl.DataFrame) -> None:
    old = {column.name: column.dtype for column in columns_of(was.drop(_SPAN))}
    new = {column.name: column.dtype for column in columns_of(now.drop(_SPAN))}
    found.columns_added = [name for name in new if name not in old]
    found.columns_removed = [name for name in old if name not in new]
    found.retyped = [(name, old[name], new[name]) for name in new if name in old and old[name] != new[name]]


def _printed(rows: pl.DataFrame, columns: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    """The rows with a print of the values that are no names: 64 bits, compared only between rows of one name."""
    of = [name for name in columns if name not in names]
    made = rows.select(of).hash_rows(seed=0) if of else pl.repeat(0, rows.height, dtype=pl.UInt64, eager=True)
    return rows.with_columns(made.alias(_PRINT))


def _count(
    found: TableDiff,
    was: pl.DataFrame,
    now: pl.DataFrame,
    names: Sequence[str],
    common: Sequence[str],
    sample: int,
) -> None:
    """Count rows by what became of them, where `names` has no missing value."""
    keys = list(names)
    if any(rows.select(keys).is_duplicated().any() for rows in (was, now)):
        was, now = (
            rows.with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).over(keys).alias(_TIMES))
            for rows in (was, now)
        )
        keys = [*keys, _TIMES]
    old = was.select(*keys, pl.col(_PRINT).alias(_OLD))
    new = now.select(*keys, _SPAN, pl.col(_PRINT).alias(_NEW))
    both = old.join(new, on=keys, how="inner")
    changed = both.filter(pl.col(_OLD) != pl.col(_NEW))
    added = new.join(old, on=keys, how="anti") if now.height > both.height else new.clear()
    lost = was.select(*keys, _SPAN)
    removed = lost.join(new, on=keys, how="anti") if was.height > both.height else lost.clear()
    found.unchanged += both.height - changed.height
    for word, fated, rows in (("added", added, now), ("removed", removed, was), ("changed", changed, now)):
        for span, count in fated[_SPAN].value_counts().sort(_SPAN).iter_rows():
            _add(found, word, span, count)
        some = fated.select(keys).head(sample - len(found.sample.get(word, ())))
        if some.height:
            shown = _rows(some.join(rows, on=keys, how="left", maintain_order="left"), common)
            if word == "changed":
                _add_old(shown, _rows(some.join(was, on=keys, how="left", maintain_order="left"), common))
            found.sample.setdefault(word, []).extend(shown)


def _count_alone(found: TableDiff, was: pl.DataFrame | None, now: pl.DataFrame | None, sample: int) -> None:
    """Count where one side has no span of its own."""
    for word, rows in (("removed", was), ("added", now)):
        if rows is not None:
            for span, count in rows[_SPAN].value_counts().sort(_SPAN).iter_rows():
                _add(found, word, span, count)
            found.sample[word] = _rows(rows.head(sample), [name for name in rows.columns if name != _SPAN])


def _add(found: TableDiff, word: str, span: str, count: int) -> None:
    setattr(found, word, getattr(found, word) + count)
    counts = list(found.spans.get(span, (0, 0, 0)))
    counts[("added", "removed", "changed").index(word)] += count
    found.spans[span] = (counts[0], counts[1], counts[2])


def _rows(frame: pl.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Rows as JSON values: what JSON has no word for is its text."""
    return [
        {
            name: value if isinstance(value, bool | int | str | None) else _value(value)
            for name, value in row.items()
        }
        for row in frame.select(columns).iter_rows(named=True)
    ]


def _value(value: Any) -> Any:
    finite = isinstance(value, float) and value - value == 0
    return value if finite else str(value)


def _add_old(rows: list[dict[str, Any]], old: list[dict[str, Any]]) -> None:
    for row, was in zip(rows, old, strict=True):
        row["was"] = {name: value for name, value in was.items() if value != row[name]}
