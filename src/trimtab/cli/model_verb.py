"""`trimtab train`, `evaluate`, `register` and `release`: a model on its way to traffic."""

import json
from typing import TYPE_CHECKING, Any

import click

from trimtab.cli.option import acting, as_json, common, example
from trimtab.cli.outcome import end

if TYPE_CHECKING:
    from trimtab.assembly.project import Project


@click.command(epilog=example("trimtab train late_arrival", "trimtab train --set leaves=63 --set depth=4"))
@click.argument("model", required=False)
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Fix a parameter; may be repeated."
)
@click.option("--trials", type=click.IntRange(min=1), help="Search with so many parameter settings.")
@common
@as_json
@acting
def train(
    model: str | None,
    settings: tuple[str, ...],
    trials: int | None,
    project: "Project",
    as_json: bool,
) -> None:
    """Fit MODEL (default: the only one) on its validated rows; the newest are held back."""
    fixed = dict(_setting(text) for text in settings)
    from trimtab.assembly import verbs

    end(verbs.train(project, model, fixed, trials), as_json)


@click.command(epilog=example("trimtab evaluate late_arrival"))
@click.argument("model", required=False)
@common
@as_json
@acting
def evaluate(model: str | None, project: "Project", as_json: bool) -> None:
    """Score the newest trained MODEL on rows it never saw, against champion and baseline.

    Exit status 1 says that the gate refused it.
    """
    from trimtab.assembly import verbs

    end(verbs.evaluate(project, model), as_json)


@click.command(epilog=example("trimtab register late_arrival"))
@click.argument("model", required=False)
@common
@as_json
@acting
def register(model: str | None, project: "Project", as_json: bool) -> None:
    """Compile the blessed MODEL, prove on real rows that it answers alike, pack and sign it."""
    from trimtab.assembly import verbs

    end(verbs.register(project, model), as_json)


@click.command(
    epilog=example(
        "trimtab release late_arrival",
        "trimtab release late_arrival --version 3 --to canary",
        "trimtab release late_arrival --to back --note 'complaints from the desk'",
    )
)
@click.argument("model", required=False)
@click.option("--version", type=click.IntRange(min=1), help="Which one.  [default: the newest]")
@click.option(
    "--to",
    type=click.Choice(["shadow", "canary", "full", "back"]),
    help="Where to; `back` is the champion before.  [default: the next step of the plan]",
)
@click.option("--force", is_flag=True, help="Go on although a Check has not passed; recorded with your name.")
@click.option("--note", default="", metavar="TEXT", help="The reason, for those who read it later.")
@common
@as_json
@acting
def release(
    model: str | None,
    version: int | None,
    to: Any,
    force: bool,
    note: str,
    project: "Project",
    as_json: bool,
) -> None:
    """Move traffic of MODEL (default: the only one) to a version through shadow and canary, or back."""
    from trimtab.assembly import verbs

    end(
        verbs.release(project, model, version=version, to=to, force=force, note=note),
        as_json,
    )


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--set")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
