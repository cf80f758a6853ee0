"""`trimtab new`: a project to start from."""

from pathlib import Path

import click

from trimtab.cli.option import example


@click.command(epilog=example("trimtab new late-flights", "trimtab new . --name late-flights"))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", help="The project's name.  [default: the folder's]")
def new(folder: Path, name: str | None) -> None:
    """Write a small working project into FOLDER: project file, settings, example data, a test."""
    from trimtab.assembly.template import new as write

    for line in write(folder, name):
        click.echo(line)
