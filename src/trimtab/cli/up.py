"""`trimtab up` and `trimtab down`: everything on this machine."""

from pathlib import Path

import click

from trimtab.cli.option import common, example
from trimtab.cli.plane import detach_option, host_option, port_option, serve_port_option


@click.command(epilog=example("trimtab up", "trimtab up data.csv --target late", "trimtab up --detach"))
@click.argument("data", required=False, type=click.Path(path_type=Path))
@click.option(
    "--target", metavar="COLUMN", help="What to predict; with DATA, in a folder without a project file."
)
@host_option
@port_option
@serve_port_option
@detach_option
@common
def up(
    data: Path | None,
    target: str | None,
    host: str | None,
    port: int | None,
    serve_port: int | None,
    detach: bool,
    project: Path | None,
    store: str | None,
) -> None:
    """Run the whole loop, the predictions and the page, until Ctrl-C.

    With DATA, a CSV or Parquet file, and --target it first writes a project file for them. A second start
    goes on where the first one stood.
    """
    if data is not None and target is None:
        raise click.UsageError("DATA needs --target COLUMN: which column is to be predicted?")
    if target is not None and data is None:
        raise click.UsageError("--target needs DATA: the file that has this column")
    from trimtab.assembly.up import up as start

    start(
        project,
        data=data,
        target=target,
        store=store,
        host=host,
        port=port,
        serve_port=serve_port,
        detach=detach,
        say=click.echo,
    )


@click.command(epilog=example("trimtab down"))
@common
def down(project: Path | None, store: str | None) -> None:
    """Stop what `up --detach` or `server --detach` started for this project."""
    from trimtab.assembly.up import down as stop

    for line in stop(project, store=store):
        click.echo(line)
