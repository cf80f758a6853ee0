"""Runs side by side: metrics and parameters that differ, charts over each other, and all of it in one drawing."""

from collections.abc import Sequence
from typing import Any, Literal
from urllib.parse import urlencode

from trimtab.atoms.run import Run
from trimtab.tracking.tracking import Tracking
from trimtab.views.comparison import MetricRow, compare
from trimtab.views.short_number import short_number
from trimtab.web.parallel_plot import parallel_plot
from trimtab.web.run_list_page import experiment_names
from trimtab.web.run_picture import LETTERS, ChartQuery, charts, choices
from trimtab.web.run_row import run_head


class CompareQuery(ChartQuery, frozen=True, kw_only=True):
    """Which runs are compared."""

    run: tuple[str, ...] = ()
    #: `all`: also what is the same in all of them.
    show: Literal["differing", "all"] = "differing"


def side_by_side(tracking: Tracking, runs: Sequence[Run], asked: CompareQuery) -> dict[str, Any]:
    """Everything that the comparison's template asks for."""
    names = experiment_names(tracking, runs)
    comparison = compare(runs)
    everything = asked.show == "all"
    metrics = [row for row in comparison.metrics if everything or row.differs]
    parameters = [row for row in comparison.parameters if everything or row.differs]
    shared = [row.name for row in comparison.metrics if sum(each is not None for each in row.values) > 1]
    chosen = [("run", run.head.id) for run in runs]
    other = "differing" if everything else "all"
    return {
        "runs": [
            {
                **run_head(run, names),
                "letter": LETTERS[place],
                "pen": place,
                "ahead": sum(place in row.best for row in comparison.metrics),
                "without": "/compare?" + urlencode([pair for pair in chosen if pair[1] != run.head.id]),
            }
            for place, run in enumerate(runs)
        ],
        "judged": sum(bool(row.best) for row in comparison.metrics),
        "metrics": [_metric(row) for row in metrics],
        "parameters": parameters,
        "everything": everything,
        "same": len(comparison.metrics) + len(comparison.parameters) - len(metrics) - len(parameters),
        "other_link": "/compare?" + urlencode([*chosen, *([("show", other)] if other == "all" else [])]),
        "parallel": parallel_plot(comparison),
        **charts(tracking, runs, shared, asked),
        **choices("/compare", asked, [*chosen, *([("show", "all")] if everything else [])]),
    }


def _metric(row: MetricRow) -> dict[str, Any]:
    cells = []
    for place, last in enumerate(row.values):
        delta = row.delta(place)
        cells.append(
            {
                "says": "" if last is None else short_number(last.value),
                "delta": f"{delta:+.3g}" if delta else "",
                "best": place in row.best,
            }
        )
    return {"name": row.name, "arrow": {1: "↑", -1: "↓", 0: ""}[row.better], "cells": cells}
