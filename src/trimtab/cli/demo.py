"""`trimtab demo`: a year of real flights through the whole loop."""

from datetime import datetime
from pathlib import Path

import click

from trimtab.cli.bar import Bar
from trimtab.cli.option import example, store_option


@click.command(epilog=example("trimtab demo", "trimtab demo --folder /tmp/year --fresh"))
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    show_default=True,
    help="Where to play; started again, it goes on where it stood.",
)
@click.option("--fresh", is_flag=True, help="Forget an earlier play in this folder and start at January.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Stop before this day of 2013.")
@store_option
def demo(folder: Path, fresh: bool, until: datetime | None, store: str | None) -> None:
    """Play the year 2013 of the New York airports through the whole loop.

    Data arrives month by month; a model is trained, served, watched, replaced, and a bad one rolled back.
    """
    from trimtab.assembly.demo import demo as play

    ends = {} if until is None else {"until": until.date()}
    with Bar() as bar:
        if not play(folder, store=store, fresh=fresh, say=bar.say, progress=bar.move, **ends):
            raise click.exceptions.Exit(1)
