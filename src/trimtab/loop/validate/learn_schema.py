"""The schema of a source, learnt from a span and widened by every later span that passes."""

import msgspec
import numpy as np
import polars as pl

from trimtab.atoms.content.profile import ColumnProfile, Profile
from trimtab.atoms.content.schema import Schema, SchemaColumn

#: A range is widened on both sides by this many times its width: seasons add, a wrong unit multiplies.
RANGE_SLACK = 3.0
#: Room above the missing share that was seen: its own size and this much.
MISSING_SLACK = 0.1
#: Values of a category that are listed, at most.
MOST_DOMAIN = 100
#: Largest share of values that may be new to a domain.
MAX_UNSEEN = 0.05
#: Rows below which a span says nothing of a column's values.
FEWEST_ROWS = 50
#: A column that follows the order of its rows this closely counts upwards, and will leave any range.
COUNTING = 0.9


def learn_schema(rows: pl.DataFrame, profile: Profile, key: str | None, event_time: str | None) -> Schema:
    """The rules that the rows of one span suggest.

    A column that is constant, counts upwards or is a moment gets no range; a text column gets a domain only
    where its values recur so often that few new ones are to be expected.
    """
    fixed = {name for name in (key, event_time) if name is not None}
    columns = tuple(
        SchemaColumn(name=column.name, dtype=column.dtype, max_missing=0.0)
        if column.name in fixed
        else _column(rows[column.name], column)
        for column in profile.columns
    )
    return Schema(source=profile.subject, columns=columns, learnt_from=(profile.span,))


def widened(schema: Schema, learnt: Schema) -> Schema:
    """`schema` with room for what another span taught; the very same where it has room already.

    A domain that has grown beyond what is listed is given up for good; columns that are new are taken in.
    """
    new = {column.name: column for column in learnt.columns}
    columns = [_wider(column, new.pop(column.name, None)) for column in schema.columns]
    columns.extend(new.values())
    if tuple(columns) == schema.columns:
        return schema
    return msgspec.structs.replace(
        schema, columns=tuple(columns), learnt_from=(*schema.learnt_from, *learnt.learnt_from)
    )


def range_seen(column: SchemaColumn) -> tuple[float, float] | None:
    """Smallest and largest value that the rule was learnt from; None where the column has no range."""
    if column.low is None or column.high is None:
        return None
    room = RANGE_SLACK * (column.high - column.low) / (1 + 2 * RANGE_SLACK)
    return column.low + room, column.high - room


def most_missing_seen(column: SchemaColumn) -> float:
    """The missing share that the rule was learnt from."""
    return max(column.max_missing - MISSING_SLACK, 0.0) / 2


def _column(values: pl.Series, column: ColumnProfile) -> SchemaColumn:
    share = column.n_missing / column.n if column.n else 1.0
    rules = SchemaColumn(
        name=column.name, dtype=column.dtype, max_missing=round(min(1.0, 2 * share + MISSING_SLACK), 4)
    )
    if column.n - column.n_missing < FEWEST_ROWS:
        return rules
    if column.shape == "category":
        domain = _domain(values)
        return msgspec.structs.replace(rules, domain=domain, max_unseen=MAX_UNSEEN if domain else 0.0)
    if column.shape == "numeric" and (column.n_unique or 0) > 1 and not _counts_upwards(values):
        low, high = _with_room(float(column.low or 0.0), float(column.high or 0.0))
        if np.isfinite(high - low):
            return msgspec.structs.replace(rules, low=low, high=high)
    return rules


def _domain(values: pl.Series) -> tuple[str, ...]:
    """The values, where a domain is worth holding: the share seen once estimates the share yet to come."""
    texts = values.cast(pl.String).drop_nulls().alias("value")
    counted = texts.value_counts(name="rows")
    seen_once = (counted["rows"] == 1).sum()
    if counted.height > MOST_DOMAIN or seen_once > MAX_UNSEEN / 2 * texts.len():
        return ()
    return tuple(counted["value"].sort())


def _counts_upwards(values: pl.Series) -> bool:
    numbers = values.cast(pl.Float64).fill_nan(None).drop_nulls()
    ranks = numbers.rank().to_numpy()
    if ranks.std() == 0:
        return False
    return abs(float(np.corrcoef(ranks, np.arange(ranks.size))[0, 1])) > COUNTING


def _wider(old: SchemaColumn, new: SchemaColumn | None) -> SchemaColumn:
    if new is None:
        return old
    domain = tuple(sorted({*old.domain, *new.domain})) if old.domain and new.domain else ()
    if old.domain and not new.domain:
        domain = old.domain
    if len(domain) > MOST_DOMAIN:
        domain = ()
    low, high = _wider_range(old, new)
    return SchemaColumn(
        name=old.name,
        dtype=new.dtype if old.dtype == "Int64" and new.dtype == "Float64" else old.dtype,
        max_missing=max(old.max_missing, new.max_missing),
        domain=domain,
        max_unseen=old.max_unseen if domain else 0.0,
        low=low,
        high=high,
    )


def _wider_range(old: SchemaColumn, new: SchemaColumn) -> tuple[float | None, float | None]:
    """The range around all that both were learnt from; the old one as it is where that adds nothing."""
    before, now = range_seen(old), range_seen(new)
    if before is None or now is None:
        return (old.low, old.high) if now is None else (new.low, new.high)
    tolerance = 1e-9 * (before[1] - before[0])  # what taking the room off again costs in floats
    if now[0] >= before[0] - tolerance and now[1] <= before[1] + tolerance:
        return old.low, old.high
    return _with_room(min(before[0], now[0]), max(before[1], now[1]))


def _with_room(low: float, high: float) -> tuple[float, float]:
    room = RANGE_SLACK * (high - low)
    return low - room, high + room
