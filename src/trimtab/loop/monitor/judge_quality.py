"""Quality by outcomes: the loss and the bias of a window, against what held-out rows promised."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.bundle import Bundle, Manifest
from trimtab.atoms.content.window import Window
from trimtab.engine.work import Work
from trimtab.loop.monitor.policy import Policy
from trimtab.loop.monitor.span_quality import SpanQuality, held_out_spans, loss_metric, measure, together
from trimtab.rows.served_row import answered
from trimtab.rows.table import read_table
from trimtab.stats.block import poisson_weights
from trimtab.stats.calibration import surprise
from trimtab.stats.drift_alarm import AlarmReport, AlarmRow, judge_columns
from trimtab.stats.drift_statistic import Statistic
from trimtab.stats.interval import Interval, replicate_interval
from trimtab.stats.metric.metric import Metric

_KEY = ("loss", "loss")
_REPLICATES = 2000
#: Windows with outcomes under which bias and slow loss say nothing.
_FEWEST_WINDOWS = 3


@dataclass(frozen=True, slots=True)
class PastWindow:
    """An earlier window of the same model."""

    window: str
    #: True where its loss alarmed: it then tells nothing of what is usual.
    alarmed: bool = False


#: Quality of a span by (window's id, bundle's id, metric), or of the held-out spans by (bundle's id, metric).
Shelf = dict[tuple[str, ...], list[SpanQuality]]


@dataclass(frozen=True, slots=True)
class _Case:
    window_id: str
    baseline: str
    rules: Artifact
    policy: Policy
    metric: Metric
    manifest: Manifest
    now: SpanQuality
    #: Earlier windows in order, with whether they alarmed.
    past: Sequence[tuple[SpanQuality, bool]]
    held_out: Sequence[SpanQuality]


def judge_quality(
    work: Work,
    *,
    window_id: str,
    bundle_id: str,
    past: Sequence[PastWindow],
    metrics: Sequence[str],
    policy: Policy,
    shelf: Shelf | None = None,
) -> None:
    """Judge what a bundle answered within a window by the outcomes that are known.

    Args:
        window_id: The window; its outcomes decide how much can be said.
        bundle_id: The bundle whose answers are judged.
        past: Windows before this one, oldest first; 60 are enough. Only rows of this bundle count in them.
        metrics: The model's declared metrics; the first that is a mean loss a row is used.
        shelf: A dict that the caller keeps between calls, so that a past window is read once.
    """
    shelf = {} if shelf is None else shelf
    manifest = work.read(bundle_id, Bundle).manifest
    metric = loss_metric(manifest.task, metrics)
    case = _Case(
        window_id=window_id,
        baseline=bundle_id,
        rules=work.rules("quality", {**policy.settings(), "loss": metric.name}),
        policy=policy,
        metric=metric,
        manifest=manifest,
        now=_of_window(work, window_id, bundle_id, manifest, metric, shelf),
        past=[
            (_of_window(work, one.window, bundle_id, manifest, metric, shelf), one.alarmed)
            for one in past[-policy.history :]
        ],
        held_out=_of_held_out(work, bundle_id, manifest, metric, shelf),
    )
    _judge_loss(work, case)
    _judge_bias(work, case)


def _of_window(
    work: Work, window_id: str, bundle_id: str, manifest: Manifest, metric: Metric, shelf: Shelf
) -> SpanQuality:
    key = (window_id, bundle_id, metric.name)
    if key not in shelf:
        window = work.read(window_id, Window)
        rows = answered(read_table(work.part(window.table))).filter(pl.col("bundle") == bundle_id)
        shelf[key] = [measure(window.span, rows, manifest, metric)]
    return shelf[key][0]


def _of_held_out(
    work: Work, bundle_id: str, manifest: Manifest, metric: Metric, shelf: Shelf
) -> list[SpanQuality]:
    key = (bundle_id, metric.name)
    if key not in shelf:
        part = manifest.holdout_answers
        shelf[key] = held_out_spans(read_table(work.part(part)), manifest, metric) if part is not None else []
    return [span for span in shelf[key] if span.n]


def _judge_loss(work: Work, case: _Case) -> None:
    expected, expected_sd, rows = together(case.held_out)
    now, name = case.now, case.metric.name
    if now.n < case.policy.min_outcomes or not rows:
        missing = (
            f"{now.n} outcomes are known, {case.policy.min_outcomes} are needed"
            if rows
            else "the bundle has no held-out answers to hold them against"
        )
        _say_loss(work, case, Verdict.UNSURE, None, f"{name} cannot be told: {missing}")
        return
    report = _loss_report(case, expected, expected_sd, rows)
    row = report.rows[0]
    limit = _limit_in_loss(case, expected, expected_sd, rows, row)
    slow = _slow_loss(case, expected)
    found = f"{name} {now.loss:.4g} on {now.n:,} outcomes against {expected:.4g} held out, limit {limit:.4g}"
    if slow is not None and slow.low > 0 and slow.value > case.policy.slow_margin * abs(expected):
        slow_words = f"{slow.value:.4g} worse ({slow.low:.4g} to {slow.high:.4g}) over {slow.blocks} windows"
        _say_loss(work, case, Verdict.FAIL, limit, f"{found}; a slow loss: {slow_words}")
    elif not report.calibrated:
        few = f"uncalibrated: only {report.spans} spans to tell what is usual, 12 are needed"
        _say_loss(work, case, Verdict.UNSURE, limit, f"{found}; {few}")
    else:
        rate = (
            f"about one false alarm in {1 / report.false_alarm_rate:.0f} windows ({report.spans} past spans)"
        )
        _say_loss(work, case, Verdict.FAIL if row.alarmed else Verdict.PASS, limit, f"{found}; {rate}")


def _say_loss(work: Work, case: _Case, verdict: Verdict, limit: float | None, says: str) -> None:
    now = case.now
    half = 1.96 * now.loss_sd / math.sqrt(now.n) if now.n else 0.0
    work.judge(
        "quality.loss",
        case.rules,
        case.window_id,
        baseline=case.baseline,
        about=case.metric.name,
        reading=Reading(
            value=now.loss if now.n else None,
            unit=case.metric.name,
            low=now.loss - half if now.n else None,
            high=now.loss + half if now.n else None,
            n=now.n,
        ),
        limit=Limit(at_most=limit),
        verdict=verdict,
        says=says,
    )


def _history(case: _Case) -> list[SpanQuality]:
    """What is usual: held-out days, and the windows since that did not alarm."""
    quiet = [span for span, alarmed in case.past if span.n and not alarmed]
    return [*case.held_out, *quiet][-case.policy.history :]


def _loss_report(case: _Case, expected: float, sd: float, rows: int) -> AlarmReport:
    def reading(span: SpanQuality) -> dict[tuple[str, str], Statistic | None]:
        return {_KEY: Statistic("loss", span.loss - expected, _null_sd(sd, span.n, rows), span.n, rows)}

    history = [reading(span) for span in _history(case)]
    return judge_columns(reading(case.now), history, case.policy.windows_per_family)


def _null_sd(sd: float, n: int, rows: int) -> float:
    return sd * math.sqrt(1 / n + 1 / rows)


def _limit_in_loss(case: _Case, expected: float, sd: float, rows: int, row: AlarmRow) -> float:
    """The loss at which this window would have alarmed: the limit on the scale that people read."""
    past = _history(case)
    values = [span.loss - expected for span in past]
    noise = [_null_sd(sd, span.n, rows) for span in past]
    own = _null_sd(sd, case.now.n, rows)

    def over(value: float) -> bool:
        return surprise(value, values, own, history_null_sd=noise, two_sided=False) > row.limit

    low = min([row.value, *values]) - own
    step = max(own, 1e-9)
    while not over(low + step) and math.isfinite(step):
        step *= 2
    high = low + step
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if over(middle) else (middle, high)
    return expected + high


def _slow_loss(case: _Case, expected: float) -> Interval | None:
    """Mean loss over the last windows less the held-out loss, both with their own blocks."""
    recent = _recent(case, case.policy.slow_windows)
    if (
        len(recent) < max(case.policy.slow_windows // 2, _FEWEST_WINDOWS)
        or len(case.held_out) < _FEWEST_WINDOWS
    ):
        return None
    mean, _, rows = together(recent)
    ours = _resampled([span.loss for span in recent], recent, seed=1)
    theirs = _resampled([span.loss for span in case.held_out], case.held_out, seed=2)
    return replicate_interval(mean - expected, ours - theirs, rows, len(recent), _level(case.policy))


def _judge_bias(work: Work, case: _Case) -> None:
    recent = _recent(case, case.policy.bias_windows)
    rows = sum(span.n for span in recent)
    if (
        not recent
        or rows < case.policy.min_outcomes
        or len(recent) < min(_FEWEST_WINDOWS, case.policy.bias_windows)
    ):
        says = (
            f"bias cannot be told: {rows} outcomes in {len(recent)} windows, "
            f"{case.policy.min_outcomes} in {_FEWEST_WINDOWS} are needed"
        )
        _say_bias(work, case, Verdict.UNSURE, None, None, rows, says)
        return
    limit = _bias_limit(case, recent)
    places = [1] if len(case.manifest.classes) == 2 else list(range(len(recent[0].answer)))
    level = 1 - (1 - _level(case.policy)) / len(places)
    found = [(_bias(recent, place, level), place) for place in places]
    worst, place = max(found, key=lambda pair: (_beyond(pair[0], limit), abs(pair[0].value)))
    of_class = f" of class {case.manifest.classes[place]!r}" if case.manifest.classes else ""
    direction = "too high" if worst.value > 0 else "too low"
    interval = f" ({worst.low:+.3g} to {worst.high:+.3g})" if math.isfinite(worst.low) else ""
    says = (
        f"mean answer{of_class} {direction} by {abs(worst.value):.3g}{interval} over {len(recent)} windows "
        f"and {rows:,} outcomes; up to {limit:.3g} is no harm"
    )
    _say_bias(work, case, Verdict.FAIL if _beyond(worst, limit) else Verdict.PASS, worst, limit, rows, says)


def _say_bias(
    work: Work,
    case: _Case,
    verdict: Verdict,
    bias: Interval | None,
    limit: float | None,
    rows: int,
    says: str,
) -> None:
    work.judge(
        "quality.bias",
        case.rules,
        case.window_id,
        baseline=case.baseline,
        reading=Reading(
            value=bias.value if bias else None,
            unit="mean answer - mean outcome",
            low=bias.low if bias and math.isfinite(bias.low) else None,
            high=bias.high if bias and math.isfinite(bias.high) else None,
            n=rows,
        ),
        limit=Limit(at_least=None if limit is None else -limit, at_most=limit),
        verdict=verdict,
        says=says,
    )


def _bias_limit(case: _Case, recent: Sequence[SpanQuality]) -> float:
    if case.manifest.classes:
        return case.policy.max_bias
    known = case.held_out or recent
    rows = sum(span.n for span in known)
    mean = sum(span.outcome[0] * span.n for span in known) / rows
    square = sum((span.outcome_sd**2 + (span.outcome[0] - mean) ** 2) * span.n for span in known) / rows
    return case.policy.max_bias_sd * math.sqrt(square)


def _bias(recent: Sequence[SpanQuality], place: int, level: float) -> Interval:
    misses = [span.answer[place] - span.outcome[place] for span in recent]
    rows = sum(span.n for span in recent)
    value = sum(miss * span.n for miss, span in zip(misses, recent, strict=True)) / rows
    return replicate_interval(value, _resampled(misses, recent, seed=3), rows, len(recent), level)


def _beyond(bias: Interval, limit: float) -> bool:
    return abs(bias.value) > limit and (bias.low > 0 or bias.high < 0)


def _recent(case: _Case, count: int) -> list[SpanQuality]:
    """The last windows with outcomes, this one included."""
    spans = [*(span for span, _ in case.past), case.now]
    return [span for span in spans[-count:] if span.n]


def _resampled(
    means: Sequence[float], spans: Sequence[SpanQuality], seed: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Mean over all rows on bootstrap replicates of whole spans."""
    rows = np.array([span.n for span in spans], dtype=np.float64)
    weights = poisson_weights(len(spans), _REPLICATES, seed)
    total = weights @ rows
    sums = weights @ (np.asarray(means) * rows)
    return np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0)


def _level(policy: Policy) -> float:
    """Confidence at which a slow finding is one false alarm in as many windows as any other."""
    return 1 - 1 / policy.windows_per_false_alarm
