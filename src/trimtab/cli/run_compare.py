"""`trimtab runs compare`: runs side by side."""

from typing import TYPE_CHECKING

import click

from trimtab.atoms.error import UsageError
from trimtab.atoms.run import LastPoint, Run
from trimtab.cli.option import as_json, example
from trimtab.cli.run_option import reading_runs
from trimtab.cli.run_source import RunsSource, named_run
from trimtab.cli.screen import plain, print_json, screen, table

if TYPE_CHECKING:
    from trimtab.views.comparison import Comparison, MetricRow

#: Characters that names should have, and those of one run, with what is between.
_NAME, _COLUMN = 22, 19


@click.command(
    "compare",
    epilog=example(
        "trimtab runs compare brave-otter-12 calm-heron-7", "trimtab runs compare 0198c1a2 0198c1b7 --json"
    ),
)
@click.argument("names", metavar="RUN RUN [RUN ...]", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="Also what is the same in all of them.")
@reading_runs
@as_json
def compare_runs(source: RunsSource, names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Put 2 to 10 runs side by side: what differs in parameters and metrics.

    A run is an id, the beginning of one, or a name. The best value of a metric has a star where its name says which
    way is better (a loss: smaller; an AUC: larger); what is in brackets is the difference to the first run.
    """
    from trimtab.views.comparison import FEWEST, MOST, compare, comparison_account

    chosen = distinct_runs(source, names)
    if not FEWEST <= len(chosen) <= MOST:
        raise UsageError(f"name {FEWEST} to {MOST} different runs, not {len(chosen)}")
    comparison = compare(chosen)
    if as_json:
        print_json(comparison_account(comparison))
        return
    _tell(comparison, everything)


def distinct_runs(source: RunsSource, names: tuple[str, ...]) -> list[Run]:
    """The runs that people mean, each one once, in the order in which they were named."""
    return list({run.head.id: run for run in (named_run(source, name) for name in names)}.values())


def _tell(comparison: "Comparison", everything: bool) -> None:
    from trimtab.views.comparison import short_ids

    paper = screen()
    ids = short_ids(comparison.runs)
    titles = [_title(run, ids[run.head.id]) for run in comparison.runs]
    metrics = [row for row in comparison.metrics if everything or row.differs]
    parameters = [row for row in comparison.parameters if everything or row.differs]
    # As many runs beside each other as there is room for, and the others below.
    beside = max((paper.width - _NAME) // _COLUMN, 1)
    stretches = [range(first, min(first + beside, len(titles))) for first in range(0, len(titles), beside)]
    for places in stretches if metrics else ():
        made = table("metric", *(f"{titles[place]}#" for place in places))
        for row in metrics:
            made.add_row(_metric_name(row), *(_measured(row, place) for place in places))
        paper.print(made)
    for places in stretches if parameters else ():
        made = table("parameter", *(titles[place] for place in places))
        for parameter in parameters:
            values = [parameter.values[place] for place in places]
            made.add_row(plain(parameter.name), *(plain("-" if each is None else each) for each in values))
        paper.print(made)
    same = [
        f"{count} {word}{'s' if count > 1 else ''}"
        for word, count in (
            ("metric", len(comparison.metrics) - len(metrics)),
            ("parameter", len(comparison.parameters) - len(parameters)),
        )
        if count
    ]
    if same:
        paper.print(f"[dim]{' and '.join(same)} the same in all: --all shows them[/]")
    elif not metrics and not parameters:
        paper.print("These runs logged neither metrics nor parameters.")


def _title(run: Run, short: str) -> str:
    name = f"{plain(run.name)}\n" if run.name else ""
    return f"{name}{short}\n{run.head.status.value}"


def _metric_name(row: "MetricRow") -> str:
    arrow = {1: " ↑", -1: " ↓", 0: ""}[row.better]
    return f"{plain(row.name)}[dim]{arrow}[/]"


def _measured(row: "MetricRow", place: int) -> str:
    last: LastPoint | None = row.values[place]
    if last is None:
        return "-"
    from trimtab.views.short_number import short_number

    star = "[bold green]*[/] " if place in row.best else ""
    delta = row.delta(place)
    behind = f" [dim]({delta:+.3g})[/]" if delta else ""
    return f"{star}{short_number(last.value)}{behind}"
