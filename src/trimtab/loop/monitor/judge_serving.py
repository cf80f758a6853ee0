"""Serving: whether the bundle answers, with numbers, and is not too old."""

import math
from datetime import datetime
from statistics import NormalDist

import numpy as np
import polars as pl

from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.bundle import Bundle
from trimtab.atoms.content.window import Window
from trimtab.atoms.instant import parse_instant
from trimtab.engine.work import Work
from trimtab.loop.monitor.policy import Policy
from trimtab.rows.served_row import answer_matrix
from trimtab.rows.table import read_table

_DAY = 86400.0


def judge_serving(
    work: Work, *, window_id: str, bundle_id: str, trained_until: datetime | None, policy: Policy
) -> None:
    """Judge errors, finiteness and age of a bundle in a window; a canary's errors are its release's affair.

    Args:
        trained_until: Event time of the newest row it learnt from; None where rows have no event time.
    """
    window = work.read(window_id, Window)
    rules = work.rules("serving", policy.settings())
    _judge_errors(work, window, window_id, bundle_id, rules, policy)
    _judge_finite(work, window, window_id, bundle_id, rules)
    if trained_until is not None:
        _judge_age(work, window, window_id, bundle_id, trained_until, rules, policy)


def error_interval(errors: int, requests: int, level: float = 0.95) -> tuple[float, float]:
    """Share of requests that fail, from below and from above.

    Source:
        Wilson 1927; kept over the normal interval, which is empty at 0 errors.

    >>> [round(bound, 3) for bound in error_interval(0, 100)]
    [0.0, 0.037]
    """
    if not requests:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = errors / requests
    middle = (share + z * z / (2 * requests)) / (1 + z * z / requests)
    half = z / (1 + z * z / requests) * math.sqrt(share * (1 - share) / requests + z * z / (4 * requests**2))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _judge_errors(
    work: Work, window: Window, window_id: str, bundle_id: str, rules: Artifact, policy: Policy
) -> None:
    mine = [served for served in window.served if served.bundle == bundle_id and served.role == "champion"]
    requests, errors = sum(served.requests for served in mine), sum(served.errors for served in mine)
    low, high = error_interval(errors, requests)
    share = errors / requests if requests else None
    if not requests:
        verdict, says = Verdict.UNSURE, "no request reached the champion: silence is not health"
    elif low > policy.max_errors:
        verdict = Verdict.FAIL
        says = f"{errors:,} of {requests:,} requests failed, {share:.2%}; at most {policy.max_errors:.2%} may"
    else:
        verdict, says = Verdict.PASS, f"{errors:,} of {requests:,} requests failed"
    work.judge(
        "serving.errors",
        rules,
        window_id,
        baseline=bundle_id,
        reading=Reading(
            value=share,
            unit="share",
            low=low if requests else None,
            high=high if requests else None,
            n=requests,
        ),
        limit=Limit(at_most=policy.max_errors),
        verdict=verdict,
        says=says,
    )


def _judge_finite(work: Work, window: Window, window_id: str, bundle_id: str, rules: Artifact) -> None:
    manifest = work.read(bundle_id, Bundle).manifest
    frame = read_table(work.part(window.table))
    rows = frame.filter((pl.col("bundle") == bundle_id) & ~pl.col("failed"))
    finite = np.isfinite(answer_matrix(rows, len(manifest.classes)))
    broken = int((~(finite.all(axis=1) if finite.ndim == 2 else finite)).sum())
    if not rows.height:
        verdict, says = Verdict.UNSURE, "no answer to look at"
    elif broken:
        verdict, says = Verdict.FAIL, f"{broken:,} of {rows.height:,} answers are missing or not finite"
    else:
        verdict, says = Verdict.PASS, f"all {rows.height:,} answers are finite numbers"
    work.judge(
        "serving.finite",
        rules,
        window_id,
        baseline=bundle_id,
        reading=Reading(value=float(broken) if rows.height else None, unit="answers", n=rows.height),
        limit=Limit(at_most=0),
        verdict=verdict,
        says=says,
    )


def _judge_age(
    work: Work,
    window: Window,
    window_id: str,
    bundle_id: str,
    trained_until: datetime,
    rules: Artifact,
    policy: Policy,
) -> None:
    days = (parse_instant(window.last) - trained_until).total_seconds() / _DAY
    old = days > policy.max_age_days
    work.judge(
        "serving.age",
        rules,
        window_id,
        baseline=bundle_id,
        reading=Reading(value=round(days, 3), unit="days", n=window.rows),
        limit=Limit(at_most=policy.max_age_days),
        verdict=Verdict.FAIL if old else Verdict.PASS,
        says=f"its newest training row is {days:.1f} days older than this; {policy.max_age_days:g} may be",
    )
