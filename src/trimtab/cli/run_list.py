"""`trimtab runs list`: runs that were asked for, with what tells them apart."""

from collections.abc import Sequence
from time import time
from typing import TYPE_CHECKING, Any

import click

from trimtab.atoms.error import UsageError
from trimtab.atoms.run import Run
from trimtab.atoms.run_query import Deleted
from trimtab.cli.option import as_json, example
from trimtab.cli.run_option import reading_runs
from trimtab.cli.run_source import RunsSource, Wanted, experiment_names, named_experiment, run_json
from trimtab.cli.screen import coloured, minute, number, plain, print_json, screen, table

if TYPE_CHECKING:
    from rich.table import Table

#: Columns of each sort that are chosen where nobody names any.
CHOSEN = 4
#: Characters of a value that are shown.
_LONGEST = 32


@click.command(
    "list",
    epilog=example(
        "trimtab runs",
        "trimtab runs late_arrival --order metrics.log_loss --limit 10",
        "trimtab runs list --where \"metrics.log_loss < 0.4 and params.depth = '3'\" --columns metrics.log_loss",
    ),
)
@click.argument("experiment", required=False)
@click.option("--where", default="", metavar="FILTER", help="Which ones, as MLflow's clients say it.")
@click.option(
    "--order",
    default="",
    metavar="KEYS",
    help="As 'metrics.log_loss, start_time DESC'.  [default: newest first]",
)
@click.option(
    "--limit", type=click.IntRange(1, 50_000), default=20, show_default=True, help="How many at most."
)
@click.option("--after", default="", metavar="PAGE", help="What the page before this one ended with.")
@click.option("--all", "too", is_flag=True, help="Deleted runs too.")
@click.option("--deleted", is_flag=True, help="Only deleted runs.")
@click.option(
    "--columns",
    metavar="NAMES",
    help="Metrics and parameters to show, as metrics.NAME,params.NAME,tags.NAME.  [default: those that differ first]",
)
@reading_runs
@as_json
def list_runs(
    source: RunsSource,
    experiment: str | None,
    where: str,
    order: str,
    limit: int,
    after: str,
    too: bool,
    deleted: bool,
    columns: str | None,
    as_json: bool,
) -> None:
    """List runs, the newest first: the engine's and those that people logged.

    EXPERIMENT is a name or an id; the engine's runs are in the one that is called as their model.
    """
    experiments = source.experiments()
    chosen = () if experiment is None else (named_experiment(experiments, experiment).id,)
    which = Deleted.TOO if too else Deleted.ONLY if deleted else Deleted.LEFT_OUT
    wanted = Wanted(experiments=chosen, where=where, order=order, deleted=which, limit=limit, after=after)
    names = experiment_names(experiments)
    page, count = source.search(wanted), source.count(wanted)
    if as_json:
        runs = [run_json(run, names) for run in page.items]
        print_json({"runs": runs, "count": count, "after": page.after})
        return
    paper = screen()
    if not page.items:
        paper.print("No run is as you asked for." if where or chosen or after else "There is no run yet.")
        return
    paper.print(_table(page.items, names, _columns(page.items, columns)))
    paper.print(f"[dim]{_told(len(page.items), count, page.after)}[/]", soft_wrap=True)


def _told(shown: int, count: int, after: str) -> str:
    if not after:
        return f"{shown:,} of {count:,} runs"
    return f"{shown:,} of {count:,} runs: more with --limit {min(count, 50_000)}, or the next ones with --after {after}"


def _columns(runs: Sequence[Run], said: str | None) -> list[tuple[str, str]]:
    """Sort and name of each column."""
    from trimtab.views.comparison import varying

    if said is None:
        parameters, metrics = varying(runs)
        return [("metrics", name) for name in metrics[:CHOSEN]] + [
            ("params", name) for name in parameters[:CHOSEN]
        ]
    columns = []
    for word in filter(None, (each.strip() for each in said.split(","))):
        sort, _, name = word.partition(".")
        if sort not in ("metrics", "params", "tags") or not name:
            raise UsageError(
                f"--columns: {word!r} is no column: write metrics.NAME, params.NAME or tags.NAME"
            )
        columns.append((sort, name.strip('`"')))
    return columns


def _table(runs: Sequence[Run], names: dict[str, str], columns: list[tuple[str, str]]) -> "Table":
    from trimtab.views.comparison import short_ids
    from trimtab.views.elapsed import elapsed, moment

    experiments = {run.head.experiment for run in runs}
    one = len(experiments) == 1
    notes = any(run.head.note for run in runs)
    headings = [f"{name}#" if sort == "metrics" else name for sort, name in columns]
    made = table(
        "run",
        "name",
        *([] if one else ["experiment"]),
        "status",
        "began",
        "took#",
        *headings,
        *(["note"] if notes else []),
    )
    if one:
        made.title = f"experiment {names.get(next(iter(experiments)), '')}"
        made.title_justify, made.title_style = "left", "bold"
    ids = short_ids(runs)
    now_ms = int(time() * 1000)
    for run in runs:
        head = run.head
        took = elapsed((head.ended_ms or now_ms) - head.started_ms)
        made.add_row(
            ids[head.id],
            plain(_shortened(run.name)) or "-",
            *([] if one else [plain(names.get(head.experiment, head.experiment))]),
            coloured(head.status.value) + (" [dim]deleted[/]" if head.deleted else ""),
            minute(moment(head.started_ms)),
            took if head.ended_ms else f"{took} so far",
            *(_value(run, sort, name) for sort, name in columns),
            *([plain(head.note)] if notes else []),
        )
    return made


def _value(run: Run, sort: str, name: str) -> str:
    if sort == "metrics":
        last = run.metrics.get(name)
        return number(None if last is None else last.value)
    values: dict[str, Any] = run.parameters if sort == "params" else run.tags
    return plain(_shortened(values.get(name, "-")))


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
