"""The list of runs: filtered, ordered, a page at a time, with the experiments beside it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec

from trimtab.atoms.error import UsageError
from trimtab.atoms.run import Experiment, Run
from trimtab.atoms.run_query import Deleted, Query
from trimtab.tracking.filter import parse_filter, parse_order
from trimtab.tracking.tracking import Tracking
from trimtab.views.short_number import short_number
from trimtab.web.run_row import Column, best_of, list_columns, run_head

#: Runs of a page, and experiments beside them.
PAGE, MOST_EXPERIMENTS = 50, 40
#: Characters of a parameter that are shown.
_LONGEST = 28


class RunsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs the list shows."""

    #: Id of an experiment; empty: all of them.
    experiment: str = ""
    where: str = ""
    #: One key, as `metrics.loss DESC`; empty: the newest first.
    order: str = ""
    deleted: Deleted = Deleted.LEFT_OUT
    #: `Page.after` of the page before, and how many runs came before this page.
    after: str = ""
    before: int = 0


def run_list(tracking: Tracking, asked: RunsQuery) -> dict[str, Any]:
    """Everything that the list's template asks for; a filter that cannot be read is said, with all runs under it."""
    refused = ""
    try:
        query = _query(asked)
        page, count = tracking.runs.search(query), tracking.runs.count(query)
    except UsageError as error:
        refused = str(error)
        query = _query(RunsQuery(experiment=asked.experiment, deleted=asked.deleted))
        page, count = tracking.runs.search(query), tracking.runs.count(query)
    experiments = list(tracking.experiments.search(Query(limit=MOST_EXPERIMENTS)).items)
    names = _names(tracking, experiments, page.items)
    columns = list_columns(page.items, several=not asked.experiment)
    best = {column.title: best_of(page.items, column.title) for column in columns if column.sort == "metric"}
    following = asked.before + len(page.items)
    return {
        "asked": asked,
        "refused": refused,
        "count": count,
        "first": asked.before + 1,
        "last": following,
        "columns": [(column, *_ordering(asked, column)) for column in columns],
        "rows": [_row(run, names, columns, best) for run in page.items],
        "experiments": [
            {
                "id": each.id,
                "name": each.name,
                "count": tracking.runs.count(Query(experiments=(each.id,), deleted=asked.deleted)),
                "link": _link(asked, experiment=each.id),
                "chosen": each.id == asked.experiment,
            }
            for each in experiments
        ],
        "everything": tracking.runs.count(Query(deleted=asked.deleted)),
        "all_link": _link(asked, experiment=""),
        "next_link": _link(asked, after=page.after, before=following) if page.after else "",
        "first_link": _link(asked) if asked.before else "",
        "title": names.get(asked.experiment, ""),
    }


def experiment_names(tracking: Tracking, runs: Sequence[Run]) -> dict[str, str]:
    """Names of the experiments that runs are in, by id."""
    return {each: tracking.experiments.find(each).name for each in {run.head.experiment for run in runs}}


def _names(tracking: Tracking, experiments: Sequence[Experiment], runs: Sequence[Run]) -> dict[str, str]:
    names = {each.id: each.name for each in experiments}
    return names | experiment_names(tracking, [run for run in runs if run.head.experiment not in names])


def _query(asked: RunsQuery) -> Query:
    return Query(
        experiments=(asked.experiment,) if asked.experiment else (),
        where=parse_filter(asked.where),
        order=parse_order([asked.order] if asked.order else []),
        deleted=asked.deleted,
        limit=PAGE,
        after=asked.after,
    )


def _ordering(asked: RunsQuery, column: Column) -> tuple[str, str]:
    """Where a click on a column's head leads, and how the list is ordered by it now, as `aria-sort` says it."""
    if not column.key:
        return "", ""
    words = asked.order.rsplit(" ", 1)
    ordered = words[0] == column.key
    down = ordered and words[-1].upper() == "DESC"
    ascending = down if ordered else column.ascending
    link = _link(asked, order=f"{column.key} {'ASC' if ascending else 'DESC'}")
    return link, ("descending" if down else "ascending") if ordered else ""


def _link(asked: RunsQuery, **changes: str | int) -> str:
    """The list's own address with some of what is asked changed; a change begins at the first page."""
    said = {
        "experiment": asked.experiment,
        "where": asked.where,
        "order": asked.order,
        "deleted": asked.deleted.value,
    }
    said |= {name: str(value) for name, value in changes.items()}
    plain = {"deleted": Deleted.LEFT_OUT.value}
    kept = {name: value for name, value in said.items() if value and value != plain.get(name)}
    return "/runs" + (f"?{urlencode(kept)}" if kept else "")


def _row(
    run: Run, names: dict[str, str], columns: Sequence[Column], best: dict[str, frozenset[str]]
) -> dict[str, Any]:
    cells = []
    for column in columns:
        if column.sort == "metric":
            last = run.metrics.get(column.title)
            said = "" if last is None else short_number(last.value)
            cells.append(
                {"sort": "metric", "says": said, "whole": "", "best": run.head.id in best[column.title]}
            )
        elif column.sort == "parameter":
            whole = run.parameters.get(column.title, "")
            short = whole if len(whole) <= _LONGEST else whole[: _LONGEST - 1] + "…"
            cells.append(
                {"sort": "parameter", "says": short, "whole": whole if short != whole else "", "best": False}
            )
    return {**run_head(run, names), "cells": cells}
