"""How a verb's command ends: its lines or its facts, and exit status 1 where it was refused."""

from typing import TYPE_CHECKING

import click

from trimtab.cli.screen import print_json

if TYPE_CHECKING:
    from trimtab.assembly.outcome import Outcome


def end(outcome: "Outcome", as_json: bool) -> None:
    """Print what the verb did; exit with 1 where a Check failed or the thing was refused."""
    if as_json:
        print_json({"verb": outcome.verb, "ok": outcome.ok, **outcome.facts})
    else:
        # Not through rich: names of files may hold what it takes for markup or an emoji, and it takes time to load.
        for line in outcome.lines:
            click.echo(line)
    if not outcome.ok:
        raise click.exceptions.Exit(1)
