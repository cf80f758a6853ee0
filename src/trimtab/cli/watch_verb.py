"""`trimtab monitor` and `trigger`: what was served is watched, and answered."""

from typing import TYPE_CHECKING

import click

from trimtab.cli.option import acting, as_json, common, example
from trimtab.cli.outcome import end

if TYPE_CHECKING:
    from trimtab.assembly.project import Project


@click.command(epilog=example("trimtab monitor late_arrival", "trimtab monitor --json"))
@click.argument("model", required=False)
@common
@as_json
@acting
def monitor(model: str | None, project: "Project", as_json: bool) -> None:
    """Seal what MODEL (default: the only one) answered into windows, and judge each.

    Exit status 1 says that a Check failed.
    """
    from trimtab.assembly import verbs

    end(verbs.monitor(project, model), as_json)


@click.command(epilog=example("trimtab trigger late_arrival"))
@click.argument("model", required=False)
@common
@as_json
@acting
def trigger(model: str | None, project: "Project", as_json: bool) -> None:
    """Weigh failing Checks, calendar, new data and new code of MODEL; order a retrain or hold."""
    from trimtab.assembly import verbs

    end(verbs.trigger(project, model), as_json)
