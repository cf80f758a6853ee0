"""A span held against the span before it: real days and months differ, so only the extreme fails.

A change is held against all that the schema has seen, not against the span before alone: tomorrow's weather
may be far from today's and yet be weather.
"""

import math
from collections.abc import Iterator

import numpy as np

from trimtab.atoms.check import Limit, Verdict
from trimtab.atoms.content.profile import ColumnProfile, Profile
from trimtab.atoms.content.schema import Schema, SchemaColumn
from trimtab.loop.validate.judge_schema import Finding
from trimtab.loop.validate.learn_schema import most_missing_seen, range_seen
from trimtab.stats.drift_statistic import Statistic, shape_shift, share_shift
from trimtab.stats.histogram_distance import hellinger

RULE = "drift.adjacent"

#: Standard deviations of sampling noise that a change must exceed to be one at all.
SURE = 5.0
#: Hellinger distance, in [0, 1], from which a change is worth a look.
NOTABLE = 0.3
#: ... and from which the values are other ones.
EXTREME = 0.5
#: Jump of the missing share worth a look, where it is higher than ever seen.
NOTABLE_MISSING = 0.15
#: ... and one that fails, where the schema's limit is broken too.
EXTREME_MISSING = 0.3
#: A number's mean must move by this share of the width of all values ever seen to be worth a look.
NOTABLE_MOVE = 0.25
#: ... and by this multiple of it, and of the spread within the span before, to fail.
EXTREME_MOVE = 1.0
EXTREME_SPREADS = 10.0
#: Rows of each side below which nothing can be told.
FEWEST_ROWS = 30
#: Rows of each side from which a change of shape alone is worth a look.
MANY_ROWS = 1000


def compare(profile: Profile, before: Profile, schema: Schema | None) -> Iterator[Finding]:
    """What each column that both spans have says; PASS where it is much as it was."""
    known = {column.name: column for column in schema.columns} if schema is not None else {}
    for column in profile.columns:
        was = before.column(column.name)
        if was is None:
            continue
        rules = known.get(column.name)
        yield _worse(_missing(column, was, rules), _values(column, was, rules))


def _missing(column: ColumnProfile, was: ColumnProfile, rules: SchemaColumn | None) -> Finding:
    shift = share_shift("missing", column.n_missing, column.n, was.n_missing, was.n)
    if shift is None:
        return _unsure(column, "a span has no rows")
    now, then = column.n_missing / column.n, was.n_missing / was.n
    verdict = Verdict.PASS
    seen = most_missing_seen(rules) if rules is not None else then
    if _is_sure(shift) and now - then > NOTABLE_MISSING and now > seen:
        broken = rules is not None and now > rules.max_missing
        verdict = Verdict.FAIL if now - then > EXTREME_MISSING and broken else Verdict.UNSURE
    return Finding(
        RULE,
        column.name,
        verdict,
        f"{now:.1%} of {column.name!r} is missing, {then:.1%} in the span before",
        value=now - then,
        unit="share",
        n=column.n,
        limit=Limit(at_most=EXTREME_MISSING),
    )


def _values(column: ColumnProfile, was: ColumnProfile, rules: SchemaColumn | None) -> Finding:
    """Distance of the values' distributions; a column that is constant in both spans is the calendar's."""
    constant = (column.n_unique or 0) <= 1 and (was.n_unique or 0) <= 1
    if column.shape not in ("numeric", "category") or constant:
        return Finding(RULE, column.name, Verdict.PASS, "", n=column.n)
    if column.shape != was.shape or (column.edges, column.categories) != (was.edges, was.categories):
        return _unsure(column, "it was counted over other bins in the span before")
    shift = shape_shift(column.counts, was.counts)
    if shift is None or min(shift.n_current, shift.n_reference) < FEWEST_ROWS:
        return _unsure(column, f"fewer than {FEWEST_ROWS} values in a span")
    distance = _distance(column, was)
    verdict = _judged(column, was, rules, distance) if _is_sure(shift) else Verdict.PASS
    mean = f", mean {was.mean:.4g} -> {column.mean:.4g}" if _both(column.mean, was.mean) else ""
    return Finding(
        RULE,
        column.name,
        verdict,
        f"the values of {column.name!r} are {distance:.2f} from the span before (0 same, 1 apart){mean}",
        value=distance,
        unit="distance",
        n=column.n,
        limit=Limit(at_most=EXTREME),
    )


def _distance(column: ColumnProfile, was: ColumnProfile) -> float:
    """Hellinger distance less what sampling alone gives: (k - 1)(1/n + 1/m) / 8 in its square."""
    now, then = np.array(column.counts), np.array(was.counts)
    bins = int(np.count_nonzero(now + then))
    noise = (bins - 1) * (1 / now.sum() + 1 / then.sum()) / 8
    return math.sqrt(max(hellinger(then, now) ** 2 - noise, 0.0))


def _judged(
    column: ColumnProfile, was: ColumnProfile, rules: SchemaColumn | None, distance: float
) -> Verdict:
    """The verdict on a change of values that is no sampling noise."""
    if column.shape == "category":
        several = (column.n_unique or 0) > 1 and (was.n_unique or 0) > 1
        if distance > EXTREME and several:
            return Verdict.FAIL
        return Verdict.UNSURE if distance > NOTABLE else Verdict.PASS
    many = min(column.n - column.n_missing, was.n - was.n_missing) >= MANY_ROWS
    seen = range_seen(rules) if rules is not None else None
    if seen is None or column.mean is None or was.mean is None:
        return Verdict.UNSURE if distance > NOTABLE and many else Verdict.PASS
    move = abs(column.mean - was.mean)
    width = seen[1] - seen[0]
    far = move > EXTREME_MOVE * width and move > EXTREME_SPREADS * (was.std or 0.0)
    if distance > EXTREME and far:
        return Verdict.FAIL
    moved = distance > EXTREME and move > NOTABLE_MOVE * width
    return Verdict.UNSURE if moved or (many and distance > NOTABLE) else Verdict.PASS


def _is_sure(shift: Statistic) -> bool:
    return shift.null_sd > 0 and abs(shift.value) > SURE * shift.null_sd


def _both(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None


def _unsure(column: ColumnProfile, why: str) -> Finding:
    says = f"cannot tell whether {column.name!r} moved: {why}"
    return Finding(RULE, column.name, Verdict.UNSURE, says, n=column.n, untold=True)


def _worse(one: Finding, other: Finding) -> Finding:
    order = (Verdict.PASS, Verdict.UNSURE, Verdict.FAIL)
    return max(other, one, key=lambda finding: order.index(finding.verdict))
