"""Runs as people log them, for whatever shows runs: some that differ, one failed, one left behind, one deleted."""

import math

from trimtab.adapters.process_holder import this_process
from trimtab.assembly.recording.process_tag import PROCESS_TAG
from trimtab.atoms.actor import Actor
from trimtab.atoms.metric_point import Points, encode_points
from trimtab.atoms.run import COMMIT_TAG, NAME_TAG, NOTE_TAG, PARENT_TAG, SOURCE_TAG, LoggedDataset, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.tracking.tracking import Tracking

ADA = Actor(by="person:ada")
#: A name that is text and no markup, in a terminal and on a page.
MARKUP = "<b>bold</b> & [red]co[/]"
#: Values of `val/loss`: with a gap, and where the other one has none.
SHALLOW = (0.9, 0.7, math.nan, 0.5, 0.45)
DEEP = (0.8, 0.6, 0.5, 0.42, 0.40)


def log_runs(tracking: Tracking) -> dict[str, str]:
    """Log them; returns their ids by name: shallow, deep, broken, below, gone, and `MARKUP`, which nobody ended."""
    churn = tracking.experiments.create("churn", by=ADA).id
    other = tracking.experiments.create("other", by=ADA).id
    ids = {
        "shallow": _logged(tracking, churn, "shallow", {"depth": "3", "seed": "1"}, SHALLOW, auc=0.71),
        "deep": _logged(tracking, churn, "deep", {"depth": "8", "seed": "1"}, DEEP, auc=0.75),
        "broken": _logged(tracking, churn, "broken", {"depth": "30", "seed": "1"}, (), auc=None),
        "gone": _logged(tracking, churn, "gone", {"depth": "1"}, (0.99,), auc=0.5),
        MARKUP: _logged(tracking, other, MARKUP, {"a key of words": "</table>[b]"}, (1.5, 1.25), auc=None),
    }
    tracking.logbook.log(RunEvent(owner=ids[MARKUP], tags={PROCESS_TAG: gone_process()}))
    below = tracking.runs.open(churn, by=ADA, tags={NAME_TAG: "below", PARENT_TAG: ids["shallow"]})
    ids["below"] = below.head.id
    tracking.files.put(ids["deep"], "model/weights & more.bin", [b"w" * 2048])
    tracking.files.put(ids["deep"], "notes.txt", [b"what was tried"])
    data = LoggedDataset(
        name="customers", digest="9f1c2ab4", source_type="local", tags={"mlflow.data.context": "training"}
    )
    told = {
        NOTE_TAG: "Deeper trees.",
        SOURCE_TAG: "train.py",
        COMMIT_TAG: "3fa9c1d2e4b5a6978812",
        "team": "growth",
    }
    tracking.logbook.log(RunEvent(owner=ids["deep"], datasets=(data,), tags=dict(told)))
    for name in ("shallow", "deep", "gone", "below"):
        tracking.runs.close(ids[name], RunStatus.FINISHED, by=ADA)
    tracking.runs.close(ids["broken"], RunStatus.FAILED, by=ADA, note="ValueError: a NaN in column [tenure]")
    tracking.runs.set_deleted(ids["gone"], True, by=ADA)
    return ids


def gone_process() -> str:
    """What names a process of this machine that is gone: it began at another time than the one with its number."""
    alive = this_process()
    return alive[:-1] + ("1" if alive.endswith("0") else "0")


def _logged(
    tracking: Tracking,
    experiment: str,
    name: str,
    parameters: dict[str, str],
    losses: tuple[float, ...],
    *,
    auc: float | None,
) -> str:
    run = tracking.runs.open(experiment, by=ADA, parameters=parameters, tags={NAME_TAG: name}).head.id
    points = Points()
    for step, loss in enumerate(losses):
        points.add("val/loss", step, loss, 1_700_000_000_000_000 + step * 1_000_000)
        points.add("epochs", step, float(step), 1_700_000_000_000_000 + step * 1_000_000)
    if auc is not None:
        points.add("roc_auc", 0, auc, 1_700_000_000_000_000)
    if len(points):
        tracking.logbook.log(RunEvent(owner=run, points=encode_points(points)))
    return run
