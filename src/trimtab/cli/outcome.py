"""How a verb's command ends: its lines or its facts, and exit status 1 where it was refused."""

from typing import TYPE_CHECKING

import click

from trimtab.cli.screen import plain, print_json, screen

if TYPE_CHECKING:
    from trimtab.assembly.outcome import Outcome


def end(outcome: "Outcome", as_json: bool) -> None:
    """Print what the verb did; exit with 1 where a Check failed or the thing was refused."""
    if as_json:
        print_json({"verb": outcome.verb, "ok": outcome.ok, **outcome.facts})
    else:
        paper = screen()
        for line in outcome.lines:
            paper.print(plain(line), soft_wrap=True)
    if not outcome.ok:
        raise click.exceptions.Exit(1)
