"""`trimtab import` and `trimtab export`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.cli.bar import Bar
from trimtab.cli.option import as_json, common, example
from trimtab.cli.screen import plain, print_json, screen, table

if TYPE_CHECKING:
    from trimtab.assembly.exchange.account import Account


@click.group("import")
def import_() -> None:
    """Take over what another tracker holds."""


@click.group()
def export() -> None:
    """Give runs and models back to another tracker."""


@import_.command(
    "mlflow",
    epilog=example(
        "trimtab import mlflow sqlite:///mlflow.db",
        "trimtab import mlflow ./mlruns",
        "trimtab import mlflow http://mlflow.example:5000",
    ),
)
@click.argument("uri", metavar="URI")
@click.option(
    "--artifacts",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where the server of a sqlite:/// store kept its files.  [default: mlartifacts or mlruns beside it]",
)
@common
@as_json
def import_mlflow(
    uri: str, artifacts: Path | None, project: Path | None, store: str | None, as_json: bool
) -> None:
    """Take over an MLflow store: sqlite:///FILE, a folder `mlruns`, or a server's http(s):// address.

    Experiments, runs with every point, parameters, tags, datasets, files, logged models and the registry. Ids and times
    are kept, and everything is read back and compared. Run it again and only what is new is taken; one that was killed
    goes on. The store that is read is not changed.
    """
    from trimtab.assembly.exchange.foreign_place import open_foreign
    from trimtab.assembly.exchange.take_over import take_over
    from trimtab.assembly.project import open_project
    from trimtab.assembly.session import person
    from trimtab.assembly.tracking_place import open_project_tracking

    source = open_foreign(uri, artifacts)
    chosen = open_project(project, store, declarations=False)
    with open_project_tracking(chosen) as tracking, Bar() as bar:
        account = take_over(
            tracking,
            source,
            by=person(),
            progress=lambda part, done, whole: bar.move(done, max(whole, 1), part),
        )
    _tell(account, as_json)


@export.command(
    "mlflow",
    epilog=example(
        "trimtab export mlflow ./out",
        "trimtab export mlflow sqlite:///mlflow.db --experiment churn",
        "trimtab export mlflow http://mlflow.example:5000",
    ),
)
@click.argument("target", metavar="TARGET")
@click.option("--experiment", metavar="NAME", default="", help="Only this experiment, without the registry.")
@common
@as_json
def export_mlflow(
    target: str, experiment: str, project: Path | None, store: str | None, as_json: bool
) -> None:
    """Give runs and models back to an MLflow store: a folder, sqlite:///FILE, or a server's http(s):// address.

    In a folder it makes mlflow.db and mlartifacts; MLflow's own package makes the tables. Everything is read back and
    compared. Run it again and only what is missing is written.
    """
    from trimtab.assembly.exchange.give_back import give_back
    from trimtab.assembly.project import open_project
    from trimtab.assembly.tracking_place import open_project_tracking

    chosen = open_project(project, store, declarations=False)
    with open_project_tracking(chosen, create=False) as tracking, Bar() as bar:
        account = give_back(
            tracking,
            target,
            experiment=experiment,
            progress=lambda part, done, whole: bar.move(done, max(whole, 1), part),
        )
    _tell(account, as_json)


def _tell(account: "Account", as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print_json({**asdict(account), "whole": account.whole})
    else:
        shown = table("what", "there#", "written now#", "read back, the same#")
        for kind, line in account.lines.items():
            shown.add_row(kind, *(f"{number:,}" for number in (line.there, line.taken, line.same)))
        screen().print(shown)
        for what, count in account.left.items():
            click.echo(f"not taken over: {count:,} {what}")
        for difference in account.differences:
            click.echo(f"differs: {difference}")
        if account.differing > len(account.differences):
            click.echo(f"differs: {account.differing - len(account.differences):,} more")
        verdict = (
            "everything was read back and is the same" if account.whole else "NOT everything is the same"
        )
        screen().print(plain(f"{account.source} -> {account.target}: {verdict}"))
    if not account.whole:
        raise click.exceptions.Exit(1)
