"""A span held against its source's schema, column by column."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.profile import ColumnProfile, Profile
from trimtab.atoms.content.schema import Schema, SchemaColumn

#: Largest share of values outside the range before the span fails; a few wild values are only shown.
MOST_OUTSIDE = 0.01
#: A rule is broken by this many rows or more; fewer are shown as UNSURE.
FEWEST_ROWS = 3

NO_LIMIT = Limit()


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of one column."""

    rule: str
    about: str
    verdict: Verdict
    says: str
    value: float | None = None
    unit: str = ""
    n: int = 0
    limit: Limit = NO_LIMIT
    #: True where nothing can be said for want of rows; such columns share one Check.
    untold: bool = False


def hold_against(rows: pl.DataFrame, profile: Profile, schema: Schema) -> Iterator[Finding]:
    """Every rule of the schema that is not plainly kept; and PASS for those that are kept."""
    for column in schema.columns:
        seen = profile.column(column.name)
        if seen is None:
            yield Finding(
                "schema.presence",
                column.name,
                Verdict.FAIL,
                f"column {column.name!r} is not there; the schema has it as {column.dtype}",
                value=0.0,
                unit="columns",
                limit=Limit(at_least=1.0),
            )
            continue
        yield Finding("schema.presence", column.name, Verdict.PASS, "")
        yield _missing(column, seen)
        if seen.n == seen.n_missing:
            continue
        kind = _type(rows[column.name], column, seen)
        yield kind
        if kind.verdict is Verdict.PASS:
            if column.domain:
                yield _domain(rows[column.name], column, seen)
            if column.low is not None and column.high is not None:
                yield _range(rows[column.name], column.low, column.high)


def _missing(column: SchemaColumn, seen: ColumnProfile) -> Finding:
    share = seen.n_missing / seen.n if seen.n else 0.0
    return Finding(
        "schema.missing",
        column.name,
        _verdict(seen.n_missing, share > column.max_missing),
        f"{share:.1%} of {column.name!r} is missing, the limit is {column.max_missing:.1%}",
        value=share,
        unit="share",
        n=seen.n,
        limit=Limit(at_most=column.max_missing),
    )


def _type(values: pl.Series, column: SchemaColumn, seen: ColumnProfile) -> Finding:
    kept = _kind(column.dtype) == _kind(seen.dtype)
    says = f"column {column.name!r} is {seen.dtype}, the schema has {column.dtype}"
    if not kept and values.dtype == pl.String and _kind(column.dtype) == "number":
        texts = values.drop_nulls()
        bad = texts.filter(texts.cast(pl.Float64, strict=False).is_null())
        says += f"; {bad[0]!r} is no number" if len(bad) else ""
    if kept and column.dtype == "Int64" and values.dtype.is_float():
        broken = values.filter(values.is_finite() & (values != values.floor()))
        kept = len(broken) == 0
        says += f"; {broken[0]!r} is no whole number" if len(broken) else ""
    return Finding("schema.type", column.name, Verdict.PASS if kept else Verdict.FAIL, says, n=seen.n)


def _domain(values: pl.Series, column: SchemaColumn, seen: ColumnProfile) -> Finding:
    texts = values.cast(pl.String).drop_nulls()
    unseen = texts.filter(~texts.is_in(list(column.domain)))
    share = len(unseen) / len(texts)
    example = f", such as {unseen.mode().sort()[0]!r}" if len(unseen) else ""
    return Finding(
        "schema.domain",
        column.name,
        _verdict(len(unseen), share > column.max_unseen),
        f"{share:.1%} of {column.name!r} is none of the {len(column.domain)} known values{example}; "
        f"the limit is {column.max_unseen:.1%}",
        value=share,
        unit="share",
        n=seen.n,
        limit=Limit(at_most=column.max_unseen),
    )


def _range(values: pl.Series, low: float, high: float) -> Finding:
    numbers = values.cast(pl.Float64).fill_nan(None).drop_nulls()
    outside = numbers.filter((numbers < low) | (numbers > high))
    share = len(outside) / len(numbers) if len(numbers) else 0.0
    verdict = _verdict(len(outside), share > MOST_OUTSIDE)
    if verdict is Verdict.PASS and len(outside):
        verdict = Verdict.UNSURE
    example = f", such as {outside[0]:g}" if len(outside) else ""
    return Finding(
        "schema.range",
        values.name,
        verdict,
        f"{share:.2%} of {values.name!r} is outside {low:g} to {high:g}{example}; "
        f"the limit is {MOST_OUTSIDE:.2%}",
        value=share,
        unit="share",
        n=len(numbers),
        limit=Limit(at_most=MOST_OUTSIDE),
    )


def reading(finding: Finding) -> Reading:
    """The finding's reading, as a Check has it."""
    return Reading(value=finding.value, unit=finding.unit, n=finding.n)


def _verdict(rows: int, beyond: bool) -> Verdict:
    if not beyond:
        return Verdict.PASS
    return Verdict.FAIL if rows >= FEWEST_ROWS else Verdict.UNSURE


def _kind(dtype: str) -> str:
    if dtype.startswith(("Int", "UInt", "Float", "Decimal")):
        return "number"
    return "moment" if dtype.startswith(("Date", "Datetime")) else dtype
