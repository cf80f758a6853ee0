"""What the pages say of runs, in words that templates only place."""

from collections.abc import Mapping, Sequence
from time import time
from typing import Any

import msgspec

from trimtab.assembly.recording.process_tag import LEFT, ended_ms, is_left
from trimtab.atoms.run import Run, RunStatus
from trimtab.views.comparison import MetricRow, of_machine, varying
from trimtab.views.direction import direction
from trimtab.views.elapsed import elapsed, moment

#: Columns of each sort on a list.
MOST_METRICS, MOST_PARAMETERS = 5, 4

#: A status is never told by its colour alone.
GLYPHS = {
    RunStatus.RUNNING: "▸",
    RunStatus.SCHEDULED: "◦",
    RunStatus.FINISHED: "✓",
    RunStatus.FAILED: "✕",
    RunStatus.KILLED: "■",
}


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the list that can be ordered by."""

    title: str
    #: Key of an order, as `metrics.loss`.
    key: str
    #: `metric`, `parameter` or `attribute`.
    sort: str
    #: Whether a first click shows the least first.
    ascending: bool


def run_head(run: Run, names: Mapping[str, str]) -> dict[str, Any]:
    """What every page says of a run first."""
    head = run.head
    now_ms = int(time() * 1000)
    return {
        "id": head.id,
        "name": run.name or head.id[:16],
        "status": head.status.value.lower(),
        "glyph": GLYPHS[head.status],
        "deleted": head.deleted,
        "running": not head.status.ended,
        "left": LEFT if is_left(run) else "",
        "experiment": names.get(head.experiment, head.experiment),
        "experiment_id": head.experiment,
        "began": moment(head.started_ms),
        "took": elapsed(ended_ms(run, now_ms) - head.started_ms),
        "by": head.by.removeprefix("person:"),
        "stage": head.stage,
        "note": head.note,
    }


def list_columns(runs: Sequence[Run], *, several: bool) -> list[Column]:
    """Columns of a list: what is told of each run, then the metrics and parameters that tell the runs apart."""
    parameters, metrics = varying(runs)
    columns = [Column(title="run", key="attributes.run_name", sort="attribute", ascending=True)]
    if several:
        columns.append(Column(title="experiment", key="", sort="attribute", ascending=True))
    columns += [
        Column(title="began", key="attributes.start_time", sort="attribute", ascending=False),
        Column(title="took", key="", sort="attribute", ascending=True),
    ]
    columns += [
        Column(title=name, key=_key("metrics", name), sort="metric", ascending=direction(name) <= 0)
        for name in [name for name in metrics if not of_machine(name)][:MOST_METRICS]
    ]
    columns += [
        Column(title=name, key=_key("params", name), sort="parameter", ascending=True)
        for name in parameters[:MOST_PARAMETERS]
    ]
    return columns


def best_of(runs: Sequence[Run], metric: str) -> frozenset[str]:
    """Ids of the runs that are ahead in a metric; empty where nobody can tell."""
    values = tuple(run.metrics.get(metric) for run in runs)
    row = MetricRow.of(metric, values)
    return frozenset(runs[place].head.id for place in row.best)


def _key(sort: str, name: str) -> str:
    """As a filter names it: a name with other characters stands in quotes."""
    plain = name.replace("_", "").replace(".", "").isalnum() and name.isascii()
    return f"{sort}.{name}" if plain else f"{sort}.`{name}`" if "`" not in name else f'{sort}."{name}"'
