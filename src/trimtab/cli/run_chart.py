"""`trimtab runs chart`: a metric of runs as a line chart in the terminal."""

import sys
from collections.abc import Sequence
from itertools import groupby
from string import ascii_lowercase
from typing import TYPE_CHECKING, NamedTuple

import click

from trimtab.atoms.error import UsageError
from trimtab.atoms.run import Run
from trimtab.atoms.run_account import written_all
from trimtab.cli.line_chart import Chart, Line, line_chart
from trimtab.cli.option import as_json, example
from trimtab.cli.run_compare import distinct_runs
from trimtab.cli.run_option import reading_runs
from trimtab.cli.run_source import RunsSource, Wanted, named_experiment
from trimtab.cli.screen import plain, print_json, screen

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from trimtab.engine.metric_series import Series

#: Lines that one chart holds.
MOST = 10
#: Pens: what each line is drawn with, beside its letter.
_STYLES = (
    "cyan",
    "yellow",
    "green",
    "magenta",
    "blue",
    "red",
    "bright_cyan",
    "bright_yellow",
    "bright_green",
    "white",
)
#: Points of a run that `--json` gives.
_JSON_POINTS = 10_000
#: Lines of a chart where nobody can say how high the screen is.
_HEIGHT = 22


class _Drawn(NamedTuple):
    run: Run
    series: "Series"


@click.command(
    epilog=example(
        "trimtab runs chart loss brave-otter-12",
        "trimtab runs chart val_loss --experiment late_arrival --where \"params.depth = '3'\" --log",
    )
)
@click.argument("metric")
@click.argument("names", metavar="[RUN ...]", nargs=-1)
@click.option("--experiment", help="Without RUN: only runs of this one.")
@click.option("--where", default="", metavar="FILTER", help=f"Without RUN: the newest {MOST} of these runs.")
@click.option("--log", is_flag=True, help="Logarithmic scale.")
@click.option("--time", "by_time", is_flag=True, help="Over seconds since the first point, not over steps.")
@click.option("--height", type=click.IntRange(6, 200), help=f"Lines.  [default: {_HEIGHT}, or the screen's]")
@reading_runs
@as_json
def chart(
    source: RunsSource,
    metric: str,
    names: tuple[str, ...],
    experiment: str | None,
    where: str,
    log: bool,
    by_time: bool,
    height: int | None,
    as_json: bool,
) -> None:
    """Draw METRIC of runs over their steps.

    A RUN is an id, the beginning of one, or a name; without one, the newest runs that have the metric are drawn.
    A value that is no number is a gap.
    """
    paper = screen()
    chosen = _chosen(source, metric, names, experiment, where)
    most = _JSON_POINTS if as_json else 8 * paper.width
    drawn = [_Drawn(run, source.picture(run.head.id, metric, most)) for run in chosen]
    if as_json:
        print_json(_account(metric, drawn))
        return
    tall = height or (min(_HEIGHT, paper.height - len(drawn) - 4) if sys.stdout.isatty() else _HEIGHT)
    lines = [
        Line(letter, _across(each.series, by_time), each.series.values)
        for letter, each in zip(ascii_lowercase, drawn, strict=False)
    ]
    made = line_chart(lines, columns=min(paper.width, 200), rows=tall, log=log, plain=not _has_braille())
    if made is None:
        scale = " on a logarithmic scale, which takes positive numbers" if log else ""
        raise UsageError(f"no point of {metric!r} can be drawn{scale}")
    _print(paper, made, metric, drawn, by_time)


def _chosen(
    source: RunsSource, metric: str, names: tuple[str, ...], experiment: str | None, where: str
) -> list[Run]:
    if names:
        if where or experiment:
            raise UsageError("name runs, or say --where and --experiment, not both")
        runs = distinct_runs(source, names)
        lacking = [run for run in runs if metric not in run.metrics]
        if lacking:
            known = sorted({name for run in lacking for name in run.metrics})
            told = f"it has {', '.join(known[:12])}" if known else "it has no metrics"
            raise UsageError(f"run {lacking[0].name or lacking[0].head.id} has no metric {metric!r}: {told}")
    else:
        of = (named_experiment(source.experiments(), experiment).id,) if experiment else ()
        found = source.search(Wanted(experiments=of, where=where, limit=1000)).items
        runs = [run for run in found if metric in run.metrics][:MOST]
        if not runs:
            raise UsageError(f"none of the {len(found):,} newest runs asked for has a metric {metric!r}")
    if len(runs) > MOST:
        raise UsageError(f"{len(runs)} runs are too many to be told apart in one chart: name up to {MOST}")
    return runs


def _across(series: "Series", by_time: bool) -> Sequence[float]:
    if not by_time:
        return series.steps
    first = min(series.at_us, default=0)
    return [(at - first) / 1e6 for at in series.at_us]


def _print(paper: "Console", made: Chart, metric: str, drawn: Sequence[_Drawn], by_time: bool) -> None:
    from trimtab.views.comparison import short_ids
    from trimtab.views.short_number import short_number

    paper.print(f"[bold]{plain(metric)}[/] [dim]over {'seconds' if by_time else 'steps'}[/]")
    for cells in made.lines:
        paper.print(_coloured(cells), soft_wrap=True)
    ids = short_ids([each.run for each in drawn])
    for pen, each in enumerate(drawn):
        numbers = [value for value in each.series.values if value == value]
        reach = (
            f"least {short_number(min(numbers))}, most {short_number(max(numbers))}"
            if numbers
            else "no number"
        )
        last = each.run.metrics[metric]
        name = f"{plain(each.run.name)} " if each.run.name else ""
        letter = f"[{_STYLES[pen]}]{ascii_lowercase[pen]}[/]" if len(drawn) > 1 else f"[{_STYLES[0]}]━[/]"
        told = f"last {short_number(last.value)} at step {last.step:,}, {reach}"
        paper.print(f"{letter} {name}[dim]{ids[each.run.head.id]}[/]  {told}", soft_wrap=True)
    if made.left_out:
        gaps = (
            "1 point is a gap: it has"
            if made.left_out == 1
            else f"{made.left_out:,} points are gaps: they have"
        )
        paper.print(f"[dim]{gaps} no number that this scale can show[/]")


def _coloured(cells: "Sequence[tuple[str, int]]") -> "Text":
    from rich.text import Text

    text = Text()
    for pen, stretch in groupby(cells, key=lambda cell: cell[1]):
        text.append("".join(letter for letter, _ in stretch), "dim" if pen < 0 else _STYLES[pen])
    return text


def _has_braille() -> bool:
    try:
        "⣿┤".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _account(metric: str, drawn: Sequence[_Drawn]) -> dict[str, object]:
    return {
        "metric": metric,
        "runs": [
            {
                "id": each.run.head.id,
                "name": each.run.name,
                "steps": list(each.series.steps),
                "values": written_all(each.series.values),
                "at_us": list(each.series.at_us),
            }
            for each in drawn
        ],
    }
