"""The account of the year: what came, what failed, what was released, and what it was worth."""

import os
import resource
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import polars as pl

from trimtab.adapters.onnx_runtime import OnnxRuntime
from trimtab.assembly.demo_year import Year
from trimtab.assembly.monitor_steps import failing_checks
from trimtab.assembly.session import Say, Session
from trimtab.atoms.content.bundle import Bundle, Manifest
from trimtab.atoms.content.window import Window
from trimtab.atoms.instant import parse_instant
from trimtab.rows.encoding import encode
from trimtab.rows.served_row import FEATURE, answer_matrix, answered, truth_codes
from trimtab.rows.table import read_table
from trimtab.stats.metric.log_loss import log_loss_rows


@dataclass(slots=True)
class Month:
    """One line of the table; losses are sums until they are shown."""

    windows: int = 0
    rows: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    released: list[str] = field(default_factory=list)
    known: int = 0
    live: float = 0.0
    frozen: float = 0.0
    constant: float = 0.0


def account(
    session: Session, year: Year, model: str, requests: int, failures: list[str], seconds: float, say: Say
) -> None:
    """Print the table of the year, who was champion when, and how to look around."""
    months = _months(session, model)
    say("")
    say(
        "The year: log loss of what was live, of the first model had it stayed, and of a constant (its share of late)"
    )
    say(
        f"{'month':<9}{'rows':>8}{'windows':>9}{'failed checks':>26}   {'live':>7}{'frozen':>8}{'const':>8}   releases"
    )
    total = Month()
    for name, month in months.items():
        _line(name, month, say)
        total.known += month.known
        total.rows += month.rows
        total.windows += month.windows
        total.failed += month.failed
        total.live += month.live
        total.frozen += month.frozen
        total.constant += month.constant
    _line("all", total, say)
    champions = session.memory.releases.champions(model)
    say("")
    say(f"champions: {' -> '.join(f'v{number}' for number in champions)}")
    for retrain in session.memory.retrains.all(model):
        say(f"retrain {retrain.number} ({retrain.as_of[:10]}, {retrain.reason}): {retrain.outcome}")
    for state in session.memory.releases.history(model):
        if state.kind == "roll-back":
            say(f"rolled back on {state.since[:10]}: {state.note}")
    for failure in failures[:5]:
        say(f"NOT ANSWERED: {failure}")
    say(
        f"{requests} requests this time, {len(failures)} of them not answered; {seconds:.0f} s; peak memory {_peak()}"
    )
    folder = os.path.relpath(session.project.folder)
    say("")
    say("Look around:")
    say(f"  trimtab status --project {folder}")
    say(f"  trimtab lineage flights/2013-02 --down --project {folder}")
    say(
        f"  trimtab server --no-controller --project {folder}      # the page: http://127.0.0.1:{session.project.settings.control.port}"
    )


def _months(session: Session, model: str) -> dict[str, Month]:
    months: dict[str, Month] = defaultdict(Month)
    versions = session.memory.releases.versions(model)
    first = session.store.read(versions[0].bundle, Bundle).manifest
    running = OnnxRuntime().load(session.store.part(first.graph), first.task)
    share = _late_share(session, first)
    for window in session.memory.windows.of(model):
        if window.profile is None:
            continue
        month = months[window.span[:7]]
        month.windows += 1
        month.rows += window.rows
        month.failed.update(check.name.partition(".")[0] for check in failing_checks(window))
        frame = answered(read_table(session.store.part(session.store.read(window.artifact_id, Window).table)))
        known = frame.filter(pl.col("truth").is_not_null())
        if known.is_empty():
            continue
        truth = truth_codes(known.get_column("truth"), first.classes)
        features = known.select(
            pl.col(FEATURE + column.name).alias(column.name)
            if FEATURE + column.name in known.columns
            else pl.lit(None).alias(column.name)
            for column in first.encoding.columns
        )
        frozen = np.asarray(running.answer(encode(features, first.encoding)), dtype=np.float64)
        constant = np.tile([1 - share, share], (len(truth), 1))
        month.known += len(truth)
        month.live += float(log_loss_rows(truth, answer_matrix(known, 2)).sum())
        month.frozen += float(log_loss_rows(truth, frozen).sum())
        month.constant += float(log_loss_rows(truth, constant).sum())
    for state in session.memory.releases.history(model):
        version = state.plan.challenger_version or state.plan.champion_version
        word = {"promote": f"v{version} champion", "roll-back": "rolled back"}.get(state.kind)
        if word:
            day = (parse_instant(state.since) - timedelta(seconds=1)).date()  # decided when the day was over
            months[f"{day:%Y-%m}"].released.append(f"{word} {day:%d}")
    return dict(sorted(months.items()))


def _late_share(session: Session, first: Manifest) -> float:
    """The constant: the share of late flights in the rows that the first model held out."""
    if first.holdout_answers is None:
        return 0.5
    held = read_table(session.store.part(first.holdout_answers))
    return float((truth_codes(held.get_column("truth").cast(pl.String), first.classes) == 1).mean())


def _line(name: str, month: Month, say: Say) -> None:
    known = max(month.known, 1)
    losses = [
        f"{loss / known:.4f}" if month.known else "-" for loss in (month.live, month.frozen, month.constant)
    ]
    failed = ", ".join(f"{family} {count}" for family, count in month.failed.most_common(2)) or "0"
    say(
        f"{name:<9}{month.rows:>8,}{month.windows:>9}{failed:>26}   {losses[0]:>7}{losses[1]:>8}{losses[2]:>8}   "
        + "; ".join(month.released)
    )


def _peak() -> str:
    """Largest memory of this process and of its children that ended."""
    unit = 1 if sys.platform == "darwin" else 1024
    own, children = (
        resource.getrusage(who).ru_maxrss * unit for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return f"{own / 2**20:.0f} MiB here, {children / 2**20:.0f} MiB in the largest child"
