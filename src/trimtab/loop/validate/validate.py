"""A span is profiled and judged; what it teaches goes into the schema where it passes."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Any

import polars as pl

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check, Limit, Reading, Verdict
from trimtab.atoms.content.profile import Profile
from trimtab.atoms.content.schema import Schema
from trimtab.atoms.content.snapshot import Snapshot
from trimtab.atoms.error import UsageError
from trimtab.engine.work import Work
from trimtab.loop.validate import judge_adjacent, judge_schema, learn_schema
from trimtab.loop.validate.judge_schema import Finding, hold_against, reading
from trimtab.loop.validate.learn_schema import widened
from trimtab.loop.validate.profile_span import profile_span
from trimtab.rows.table import read_table


def validate(
    work: Work,
    snapshot_id: str,
    span: str,
    *,
    schema_id: str | None,
    previous_profile_id: str | None,
    ignored: Collection[str] = (),
) -> None:
    """Profile one span of a snapshot; hold it against the schema and the span before it.

    Makes the span's profile, and a schema where there was none or where a span that passed taught something.
    Columns that are as they should be share one PASS a rule; every other column has its own Check.

    Args:
        previous_profile_id: Profile of the good span before it, whose bins are used again.
        ignored: Columns that are profiled but not judged.

    Raises:
        UsageError: The snapshot has no such span.
    """
    snapshot = work.read(snapshot_id, Snapshot)
    held = next((each for each in snapshot.spans if each.name == span), None)
    if held is None:
        raise UsageError(f"source {snapshot.source!r} has no span {span!r}: see `trimtab status`")
    rows = read_table(work.part(held.table))
    before = work.read(previous_profile_id, Profile) if previous_profile_id is not None else None
    profile = profile_span(rows, source=snapshot.source, span=span, baseline=before)
    kept = work.keep(profile)
    schema = work.read(schema_id, Schema) if schema_id is not None else None
    judged = [] if schema is None else list(hold_against(rows, profile, schema))
    adjacent = [] if before is None else list(judge_adjacent.compare(profile, before, schema))
    rules = work.rules("validate", _settings())
    _record(work, rules, kept.id, schema_id, judged, ignored)
    _record(work, rules, kept.id, previous_profile_id, adjacent, ignored)
    if not failing(work.checks):
        learnt = learn_schema.learn_schema(rows, profile, snapshot.key, snapshot.event_time)
        wanted = learnt if schema is None else widened(schema, learnt)
        if wanted is not schema:
            work.keep(wanted)
    work.note = _note(rows, work.checks)


def failing(checks: Iterable[Check]) -> list[Check]:
    """The Checks for which a span is put in quarantine."""
    return [check for check in checks if check.verdict in (Verdict.FAIL, Verdict.BROKEN)]


def _record(
    work: Work,
    rules: Artifact,
    candidate: str,
    baseline: str | None,
    findings: Sequence[Finding],
    ignored: Collection[str],
) -> None:
    counted = sorted((each for each in findings if each.about not in ignored), key=lambda each: each.rule)
    for rule, group in groupby(counted, key=lambda each: each.rule):
        found = list(group)
        untold = [each.about for each in found if each.untold]
        other = [each for each in found if each.verdict is not Verdict.PASS and not each.untold]
        for each in other:
            work.judge(
                rule,
                rules,
                candidate,
                baseline=baseline,
                about=each.about,
                reading=reading(each),
                limit=each.limit,
                verdict=each.verdict,
                says=each.says,
            )
        if untold:
            work.judge(
                rule,
                rules,
                candidate,
                baseline=baseline,
                reading=Reading(value=None, unit="columns", n=len(untold)),
                limit=Limit(),
                verdict=Verdict.UNSURE,
                says=f"too few values to tell: {', '.join(untold[:20])}",
            )
        kept = len(found) - len(other) - len(untold)
        if kept:
            work.judge(
                rule,
                rules,
                candidate,
                baseline=baseline,
                reading=Reading(value=0.0, unit="columns", n=kept),
                limit=Limit(at_most=0.0),
                verdict=Verdict.PASS,
                says=f"{kept} of {len(found)} columns that the rule binds keep it",
            )


def _settings() -> dict[str, Any]:
    """The limits in force, by module."""
    return {
        module.__name__.rpartition(".")[2]: {
            name.lower(): value
            for name, value in vars(module).items()
            if name.isupper() and isinstance(value, int | float)
        }
        for module in (judge_schema, judge_adjacent, learn_schema)
    }


def _note(rows: pl.DataFrame, checks: Sequence[Check]) -> str:
    bad = failing(checks)
    unsure = sum(check.verdict is Verdict.UNSURE for check in checks)
    return f"{rows.height} rows, {len(checks)} checks: {len(bad)} failed, {unsure} unsure"
