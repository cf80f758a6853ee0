"""The charts of a page: which metrics of which runs, and how they are drawn."""

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec

from trimtab.assembly.metric_picture import metric_picture
from trimtab.atoms.run import Run
from trimtab.tracking.tracking import Tracking
from trimtab.views.comparison import of_machine
from trimtab.views.short_number import short_number
from trimtab.web.run_chart import MOST_POINTS, RunLine, run_chart

#: Charts that a page shows without being asked for all of them.
CHARTS = 24
#: What stands for each run of a comparison.
LETTERS = "abcdefghij"


class ChartQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How charts are drawn."""

    scale: Literal["linear", "log"] = "linear"
    x: Literal["step", "time"] = "step"
    charts: Literal["first", "all"] = "first"


def charts(
    tracking: Tracking, runs: Sequence[Run], metrics: Sequence[str], asked: ChartQuery
) -> dict[str, Any]:
    """Charts of the metrics that have more than one point; what was measured of the machine comes last."""
    ordered = sorted(metrics, key=lambda name: (of_machine(name), name))
    shown = ordered if asked.charts == "all" else ordered[:CHARTS]
    cards = []
    for metric in shown:
        lines = [_line(tracking, run, metric, place, runs, asked) for place, run in enumerate(runs)]
        if max((len(each.x) for each in lines), default=0) < 2:
            continue
        across = "step" if asked.x == "step" else "seconds"
        drawing = run_chart(metric, lines, across=across, log=asked.scale == "log")
        last = runs[0].metrics.get(metric) if len(runs) == 1 else None
        cards.append(
            {
                "metric": metric,
                "machine": of_machine(metric),
                "last": short_number(last.value) if last else "",
                "drawing": drawing,
            }
        )
    return {"charts": cards, "charts_left": len(ordered) - len(shown)}


def choices(path: str, asked: ChartQuery, fixed: Sequence[tuple[str, str]] = ()) -> dict[str, Any]:
    """Links that draw the same charts another way.

    Args:
        path: Of the page.
        fixed: What its query says besides.
    """
    plain = {"scale": "linear", "x": "step", "charts": "first"}

    def link(**changes: str) -> str:
        said = {"scale": asked.scale, "x": asked.x, "charts": asked.charts} | changes
        pairs = [*fixed, *((name, value) for name, value in said.items() if value != plain[name])]
        return path + (f"?{urlencode(pairs)}" if pairs else "")

    return {
        "scales": [(word, link(scale=word), asked.scale == word) for word in ("linear", "log")],
        "axes": [(word, link(x=word), asked.x == word) for word in ("step", "time")],
        "all_charts": link(charts="all"),
    }


def _line(
    tracking: Tracking, run: Run, metric: str, place: int, runs: Sequence[Run], asked: ChartQuery
) -> RunLine:
    if metric not in run.metrics:
        return RunLine("", "", (), ())
    series = metric_picture(tracking.logbook.points(run.head.id, metric), MOST_POINTS)
    first = min(series.at_us, default=0)
    x = series.steps if asked.x == "step" else [(at - first) / 1e6 for at in series.at_us]
    several = len(runs) > 1
    return RunLine(
        LETTERS[place] if several else "", (run.name or run.head.id[:16]) if several else "", x, series.values
    )
