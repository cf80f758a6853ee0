"""`trimtab runs list`: runs that were asked for, with what tells them apart."""

import click

from trimtab.atoms.error import UsageError
from trimtab.atoms.run_query import Deleted
from trimtab.cli.option import as_json, example
from trimtab.cli.run_option import reading_runs
from trimtab.cli.run_source import RunsSource, Wanted, experiment_names, named_experiment, run_json
from trimtab.cli.run_table import Column, Listing
from trimtab.cli.screen import print_json, screen


@click.command(
    "list",
    epilog=example(
        "trimtab runs list",
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
    listing = Listing(page.items, names, paper.width)
    paper.print(listing.table(_named(columns)) if columns else listing.fitting())
    paper.print(f"[dim]{_told(len(page.items), count, page.after, listing.left)}[/]", soft_wrap=True)


def _told(shown: int, count: int, after: str, left: int) -> str:
    told = f"{shown:,} of {count:,} runs"
    if after:
        told += f"; more with --limit {min(count, 50_000)}, or the next ones with --after {after}"
    if left:
        told += f"; {left} more metrics and parameters with --columns or --json"
    return told


def _named(columns: str) -> list[Column]:
    found = []
    for word in filter(None, (each.strip() for each in columns.split(","))):
        sort, _, name = word.partition(".")
        if sort not in ("metrics", "params", "tags") or not name:
            raise UsageError(
                f"--columns: {word!r} is no column: write metrics.NAME, params.NAME or tags.NAME"
            )
        found.append(Column(sort, name.strip('`"')))
    return found
