"""Drift and skew: whether served rows moved away from the spans before them, or from training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.bundle import Bundle, Manifest
from trimtab.atoms.content.evidence import Evidence
from trimtab.atoms.content.profile import Profile
from trimtab.atoms.content.reference import Reference
from trimtab.atoms.content.window import Window
from trimtab.engine.work import Work
from trimtab.loop.monitor.column_bins import ANSWERS, bins_of, profile_column
from trimtab.loop.monitor.drift_shelf import DriftShelf
from trimtab.loop.monitor.movement import (
    Columns,
    columns_of,
    merged,
    movements,
    reference_places,
    without,
)
from trimtab.loop.monitor.policy import Policy
from trimtab.loop.monitor.wording import describe, share
from trimtab.rows.served_row import FEATURE, answer_matrix, answer_summary, answered
from trimtab.rows.table import read_table
from trimtab.stats.drift_alarm import AlarmReport, AlarmRow, Readings, judge_columns

#: Families of the drift statistics, with the rule that speaks for the family as a whole.
FAMILY_RULES = {"drift": "drift.location", "quality": "drift.missing"}
_UNIT = "-ln p"
#: Past spans with a reference of the same kind from which the others are left out.
_FEWEST_ALIKE = 20


@dataclass(frozen=True, slots=True)
class _Case:
    """What one window is judged with."""

    window_id: str
    baseline: str
    rules: Artifact
    policy: Policy
    rows: int
    current: Columns
    #: The spans before it, and their names' order of time; the last ones calibrate.
    past: Sequence[Columns]
    #: A name for each of `past`, and for the whole of training: what is known of them is kept under it.
    names: Sequence[str]
    training: str
    whole: Columns
    shelf: DriftShelf


def judge_drift(
    work: Work,
    *,
    window_id: str,
    bundle_id: str,
    reference_id: str,
    past: Sequence[str],
    policy: Policy,
    shelf: DriftShelf | None = None,
) -> Artifact:
    """Profile what a bundle answered in a window, and judge it against the spans before and training.

    Args:
        window_id: The window.
        bundle_id: The bundle whose rows are judged; rows of a canary beside it are left out.
        reference_id: What `build_reference` kept for this bundle.
        past: Profiles that earlier calls kept for this bundle, oldest first, without alarmed windows.
        shelf: Kept by the caller between calls, so that a past span is measured once.

    Returns:
        The window's profile, to be among the `past` of the windows after it.
    """
    window = work.read(window_id, Window)
    manifest = work.read(bundle_id, Bundle).manifest
    reference = work.read(reference_id, Reference)
    frame = answered(read_table(work.part(window.table))).filter(pl.col("bundle") == bundle_id)
    profile = _profile(frame, window, manifest, reference)
    # A window without rows is neither history nor reference.
    shelf = DriftShelf() if shelf is None else shelf
    profiles = [(item, shelf.profile(item, lambda item=item: work.read(item, Profile))) for item in past]  # type: ignore[misc]
    earlier = [profile for _, profile in profiles if profile.rows]
    spans = [*reference.blocks, *earlier]
    blocks = [f"{reference_id}/{block.span}" for block in reference.blocks]
    case_names = [*blocks, *(item for item, profile in profiles if profile.rows)]
    columns = [
        shelf.columns(name, lambda span=span: columns_of(span))  # type: ignore[misc]
        for name, span in zip(case_names, spans, strict=True)
    ]
    case = _Case(
        window_id=window_id,
        baseline=bundle_id,
        rules=work.rules("drift", policy.settings()),
        policy=policy,
        rows=frame.height,
        current=columns_of(profile),
        past=columns,
        names=case_names,
        training=reference_id,
        whole=columns_of(reference.whole),
        shelf=shelf,
    )
    kept = work.keep(profile)
    if frame.height < policy.min_rows:
        for rule in (*FAMILY_RULES.values(), "skew.training"):
            _too_few(work, case, rule)
        return kept
    _judge_families(work, case, _drift(case, [*(span.span for span in spans), window.span]), reference)
    _judge_skew(work, case, _skew(case, len(reference.blocks)), reference)
    return kept


def _profile(frame: pl.DataFrame, window: Window, manifest: Manifest, reference: Reference) -> Profile:
    answers = pl.Series(ANSWERS, answer_summary(answer_matrix(frame, len(manifest.classes))))
    codes = np.zeros(frame.height, dtype=np.int64)
    columns = []
    for bins in bins_of(reference.whole.columns, manifest.encoding):
        name = FEATURE + bins.name
        if bins.name == ANSWERS:
            values = answers
        elif name in frame.columns:
            values = frame.get_column(name)
        else:
            values = pl.Series(name, [None] * frame.height, dtype=pl.Float64)
        columns += profile_column(values, bins, codes, 1, with_bins=False)
    return Profile(subject=window.model, span=window.span, rows=frame.height, columns=tuple(columns))


def _drift(case: _Case, names: Sequence[str]) -> tuple[AlarmReport, Columns, list[Columns]]:
    """Each span against those of its phase before it; the report, the window's reference, the spans used."""
    references = reference_places(names)
    places, phased = references[-1]
    newest = range(max(len(case.past) - case.policy.history, 0), len(case.past))
    used = [place for place in newest if references[place][0]]
    alike = [place for place in used if references[place][1] == phased]
    if (
        len(alike) >= _FEWEST_ALIKE
    ):  # spans without a phase yet are judged more coarsely: not the same reading
        used = alike
    history = [_moved(case, place, references[place][0]) for place in used]
    reference = merged(case.past[other] for other in places)
    report = judge_columns(
        movements(case.current, reference, case.current), history, case.policy.windows_per_family
    )
    return report, reference, [case.past[place] for place in used]


def _skew(case: _Case, blocks: int) -> tuple[AlarmReport, Columns, list[Columns]]:
    """Each span against training as a whole (a block of training: against the rest of it)."""
    start = max(len(case.past) - case.policy.history, 0)
    history: list[Readings] = []
    for place in range(start, len(case.past)):
        history.append(_from_training(case, place, part=place < blocks))
    now = movements(case.current, case.whole, case.current, located=False)
    return judge_columns(now, history, case.policy.windows_per_family), case.whole, list(case.past[start:])


def _moved(case: _Case, place: int, others: Sequence[int]) -> Readings:
    """How far a past span moved from the spans before it."""
    names = (case.names[place], *(case.names[other] for other in others))
    return case.shelf.readings(
        names, lambda: movements(case.past[place], merged(case.past[other] for other in others), case.current)
    )


def _from_training(case: _Case, place: int, *, part: bool) -> Readings:
    """How far a past span is from training (from the rest of it, where the span is a part of it)."""
    span = case.past[place]

    def measure() -> Readings:
        return movements(span, without(case.whole, span) if part else case.whole, case.current, located=False)

    return case.shelf.readings((case.names[place], "training", case.training), measure)


def _judge_families(
    work: Work, case: _Case, judged: tuple[AlarmReport, Columns, list[Columns]], reference: Reference
) -> None:
    """One Check a family, and one for each column that is over a limit."""
    report, before, history = judged
    evidence = work.keep(_evidence("drift", report))
    for family, rule in FAMILY_RULES.items():
        rows = [row for row in report.rows if row.family == family]
        _summary(work, case, rule, report, rows, "the spans before it", evidence)
    for row in _one_a_column(report.rows) if report.calibrated else ():
        what = describe(row, case.current, before, history, reference.whole)
        work.judge(
            f"drift.{row.statistic}",
            case.rules,
            case.window_id,
            baseline=case.baseline,
            about=row.column,
            reading=Reading(value=_rounded(row.surprise), unit=_UNIT, n=case.rows),
            limit=Limit(at_most=_rounded(row.limit)),
            verdict=Verdict.FAIL,
            says=f"{what}; {_rate(report)}",
            evidence=evidence,
        )


def _judge_skew(
    work: Work, case: _Case, judged: tuple[AlarmReport, Columns, list[Columns]], reference: Reference
) -> None:
    report, before, history = judged
    evidence = work.keep(_evidence("skew", report))
    details = [
        describe(row, case.current, before, history, reference.whole)
        for row in _one_a_column(report.rows)[:3]
    ]
    _summary(work, case, "skew.training", report, list(report.rows), "training", evidence, details)


def _summary(
    work: Work,
    case: _Case,
    rule: str,
    report: AlarmReport,
    rows: list[AlarmRow],
    against: str,
    evidence: Artifact,
    details: Sequence[str] = (),
) -> None:
    """The Check that speaks for a family: its most surprising reading against the family's limit."""
    top = rows[0] if rows else None
    alarmed = _one_a_column(rows)
    columns = len({row.column for row in rows})
    if top is None:
        verdict, found = Verdict.UNSURE, "no column could be read"
    elif not report.calibrated:
        verdict = Verdict.UNSURE
        found = (
            f"uncalibrated: only {report.spans} past spans, 12 are needed; "
            f"the most surprising of {columns} columns is {top.column!r} ({top.statistic})"
        )
    elif alarmed:
        verdict = Verdict.FAIL
        named = ", ".join(repr(row.column) for row in alarmed[:5]) + (" ..." if len(alarmed) > 5 else "")
        found = f"{len(alarmed)} of {columns} columns moved away from {against}: {named}"
    else:
        verdict = Verdict.PASS
        found = (
            f"none of {columns} columns moved away from {against}; the most surprising is {top.column!r} "
            f"({top.statistic}), {top.surprise:.1f} against a limit of {top.limit:.1f}"
        )
    work.judge(
        rule,
        case.rules,
        case.window_id,
        baseline=case.baseline,
        reading=Reading(value=_rounded(top.surprise) if top else None, unit=_UNIT, n=case.rows),
        limit=Limit(at_most=_rounded(top.limit) if top else None),
        verdict=verdict,
        says="; ".join([found, *details, _rate(report)]),
        evidence=evidence,
    )


def _too_few(work: Work, case: _Case, rule: str) -> None:
    work.judge(
        rule,
        case.rules,
        case.window_id,
        baseline=case.baseline,
        reading=Reading(value=None, unit=_UNIT, n=case.rows),
        limit=Limit(),
        verdict=Verdict.UNSURE,
        says=f"{case.rows} rows are too few to tell: {case.policy.min_rows} are needed",
    )


def _one_a_column(rows: Sequence[AlarmRow]) -> list[AlarmRow]:
    """The alarmed rows, of each column the most surprising one."""
    first: dict[str, AlarmRow] = {}
    for row in rows:
        if row.alarmed:
            first.setdefault(row.column, row)
    return list(first.values())


def _rate(report: AlarmReport) -> str:
    return f"about one false alarm in {1 / report.false_alarm_rate:.0f} windows ({report.spans} past spans)"


def _evidence(name: str, report: AlarmReport) -> Evidence:
    rows: list[dict[str, Any]] = [
        {
            "column": row.column,
            "statistic": row.statistic,
            "value": _rounded(row.value),
            "z": _rounded(row.z),
            "surprise": _rounded(row.surprise),
            "adjusted_p": _rounded(row.adjusted_p),
            "limit": _rounded(row.limit),
            "alarmed": row.alarmed,
            "usual_low": _rounded(row.usual_low),
            "usual_high": _rounded(row.usual_high),
        }
        for row in report.rows
    ]
    facts = {
        "spans": report.spans,
        "calibrated": report.calibrated,
        "rate": share(report.false_alarm_rate),
        "rows": rows,
    }
    return Evidence(name=name, facts=facts)


def _rounded(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(f"{value:.6g}")
