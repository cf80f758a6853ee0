"""Which columns moved more than they ever do: every reading of a span, against one limit a family."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.stats.alarm_limit import CALIBRATED_SPANS, family_limit
from trimtab.stats.array import FloatArray
from trimtab.stats.benjamini_hochberg import benjamini_hochberg
from trimtab.stats.calibration import surprise_series
from trimtab.stats.drift_statistic import Statistic
from trimtab.stats.ordered_quantile import ordered_quantile

#: A column and the name of a statistic.
Key = tuple[str, str]
#: The readings of one span; None where a reading could not be taken.
Readings = Mapping[Key, Statistic | None]

#: Family of each statistic; a name that is not here is a family of its own.
FAMILIES: Mapping[str, str] = {
    "location": "drift",
    "shape": "drift",
    "missing": "quality",
    "alien": "quality",
    "loss": "performance",
    "bias": "performance",
    "latency": "latency",
}
#: Statistics of which only a rise is bad news.
ONE_SIDED = frozenset({"shape", "loss", "latency"})
#: Series judged at a time: keeps the leave-one-out cube in the processor's cache.
_CHUNK = 16


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One reading, judged."""

    column: str
    statistic: str
    family: str
    #: The reading.
    value: float
    #: The reading in robust standard deviations of its own past.
    z: float
    #: -ln p against its own past.
    surprise: float
    #: Chance of a reading as surprising, for this series alone.
    p: float
    #: Benjamini-Hochberg over all rows.
    adjusted_p: float
    #: The family's limit on `surprise`.
    limit: float
    #: Whether `surprise` exceeds `limit`.
    alarmed: bool
    #: Past spans on which this series had a reading.
    spans: int
    #: 5 % and 95 % points of the past readings; None without a past.
    usual_low: float | None
    usual_high: float | None


@dataclass(frozen=True, slots=True)
class AlarmReport:
    """A span, judged."""

    #: One row a reading, the most surprising (against its limit) first.
    rows: tuple[AlarmRow, ...]
    #: False under 12 past spans: say so, and never go beyond info.
    calibrated: bool
    #: Past spans used.
    spans: int
    #: Nominal false alarms a span, over all families: 1 / spans_per_false_alarm.
    false_alarm_rate: float
    #: Readings that could not be taken on this span: neither good nor bad.
    cannot_tell: tuple[Key, ...]

    @property
    def alarms(self) -> tuple[AlarmRow, ...]:
        """The rows over their limit."""
        return tuple(row for row in self.rows if row.alarmed)


def judge_columns(
    current: Readings,
    history: Sequence[Readings],
    spans_per_false_alarm: float = 60,
    families: Mapping[str, str] = FAMILIES,
    one_sided: frozenset[str] = ONE_SIDED,
) -> AlarmReport:
    """Judge every reading of a span against how the same readings behaved on past spans.

    Past spans are judged in the same way, each against the others, so that a limit which lets one in
    N past spans through lets one in N new ones through, however the columns hang together.

    Args:
        current: Readings of the span by (column, statistic name).
        history: Readings of past spans, any order, quarantined spans left out; the last 60 will do.
        spans_per_false_alarm: N: one false alarm in N spans, over all columns and families, > 1.
        families: Family of each statistic name; a name not in it is its own family.
        one_sided: Statistic names of which only a rise surprises.

    Returns:
        A report. Without history it still judges, by sampling noise alone, and is not `calibrated`.

    Raises:
        ValueError: `spans_per_false_alarm` is not above 1.

    Source:
        science.md, "Drift, skew and quality alarms", steps 1 to 4. Kept over fixed thresholds, which
        alarm on 83-100 % of real event-free windows.

    >>> quiet = [{("age", "location"): Statistic("location", x, 0.01, 900, 900)} for x in (.01, -.01) * 10]
    >>> now = {("age", "location"): Statistic("location", 0.2, 0.01, 900, 900)}
    >>> report = judge_columns(now, quiet)
    >>> report.alarms[0].column, report.calibrated, round(report.false_alarm_rate, 3)
    ('age', True, 0.017)
    """
    keys = [key for key, reading in current.items() if reading is not None]
    cannot_tell = tuple(key for key, reading in current.items() if reading is None)
    family = np.array([families.get(name, name) for _, name in keys], dtype=np.str_)
    two_sided = np.array([name not in one_sided for _, name in keys], dtype=np.bool_)
    value, null_sd = _table(keys, [current])
    past, past_sd = _table(keys, history)
    now = surprise_series(value[:, 0], null_sd[:, 0], past, past_sd, two_sided)
    of_family = _limits(family, _leave_one_out(past, past_sd, two_sided), spans_per_false_alarm)
    limit = np.array([of_family[name] for name in family], dtype=np.float64)
    p = np.exp(-now.s)
    told = zip(
        *([key[part] for key in keys] for part in (0, 1)),
        *(each.tolist() for each in (family, value[:, 0], now.z, now.s, p, benjamini_hochberg(p), limit)),
        *((now.s > limit).tolist(), now.spans.tolist(), *_usual_range(past)),
        strict=True,
    )
    rows = [AlarmRow(*row) for row in told]
    return AlarmReport(
        rows=tuple(rows[i] for i in np.argsort(limit - now.s, kind="stable")),
        calibrated=len(history) >= CALIBRATED_SPANS,
        spans=len(history),
        false_alarm_rate=1 / spans_per_false_alarm,
        cannot_tell=cannot_tell,
    )


def _table(keys: Sequence[Key], spans: Sequence[Readings]) -> tuple[FloatArray, FloatArray]:
    """Values and null sds, each of shape (keys, spans); NaN and 0 where a span lacks the reading."""
    value = np.full((len(keys), len(spans)), np.nan)
    null_sd = np.zeros((len(keys), len(spans)))
    for j, span in enumerate(spans):
        for i, key in enumerate(keys):
            reading = span.get(key)
            if reading is not None:
                value[i, j] = reading.value
                null_sd[i, j] = reading.null_sd
    return value, null_sd


def _leave_one_out(past: FloatArray, past_sd: FloatArray, two_sided: NDArray[np.bool_]) -> FloatArray:
    """Surprise of each past reading against the other spans, shape (series, K)."""
    series, spans = past.shape
    surprise = np.empty((series, spans))
    own_span = np.eye(spans, dtype=np.bool_)
    for start in range(0, series, _CHUNK):
        part = slice(start, start + _CHUNK)
        others = np.where(own_span, np.nan, past[part, None, :])
        others_sd = np.broadcast_to(past_sd[part, None, :], others.shape)
        judged = surprise_series(past[part], past_sd[part], others, others_sd, two_sided[part, None])
        surprise[part] = judged.s
    return surprise


def _limits(
    family: NDArray[np.str_], past_surprise: FloatArray, spans_per_false_alarm: float
) -> dict[str, float]:
    """The limit of each family."""
    names = [str(name) for name in np.unique(family)]
    limits = {}
    for name in names:
        members = past_surprise[family == name]
        largest = np.max(np.where(np.isnan(members), -np.inf, members), axis=0)
        limits[name] = family_limit(largest, spans_per_false_alarm, len(names), len(members))
    return limits


def _usual_range(past: FloatArray) -> tuple[list[float | None], list[float | None]]:
    """5 % and 95 % points of each series' past, None without one."""
    ordered = np.sort(past, axis=-1)
    spans = np.count_nonzero(~np.isnan(past), axis=-1)
    low, high = (ordered_quantile(ordered, spans, share) for share in (0.05, 0.95))
    return _or_none(low), _or_none(high)


def _or_none(values: FloatArray) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]
