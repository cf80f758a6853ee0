"""`trimtab ingest`, `validate` and `featurize`: data on its way to a model."""

from typing import TYPE_CHECKING

import click

from trimtab.cli.option import acting, as_json, common, example
from trimtab.cli.outcome import end

if TYPE_CHECKING:
    from trimtab.assembly.project import Project


@click.command(epilog=example("trimtab ingest", "trimtab ingest flights --json"))
@click.argument("source", required=False)
@common
@as_json
@acting
def ingest(source: str | None, project: "Project", as_json: bool) -> None:
    """Read the files of SOURCE (default: of every source) into a snapshot, span by span."""
    from trimtab.assembly import verbs

    end(verbs.ingest(project, source), as_json)


@click.command(epilog=example("trimtab validate", "trimtab validate flights"))
@click.argument("source", required=False)
@common
@as_json
@acting
def validate(source: str | None, project: "Project", as_json: bool) -> None:
    """Hold each new span of SOURCE (default: of every source) against schema and neighbour.

    A span that fails is quarantined: nothing is trained on it. Exit status 1 says that one failed.
    """
    from trimtab.assembly import verbs

    end(verbs.validate(project, source), as_json)


@click.command(epilog=example("trimtab featurize late_arrival"))
@click.argument("model", required=False)
@common
@as_json
@acting
def featurize(model: str | None, project: "Project", as_json: bool) -> None:
    """Compute the features of MODEL (default: the only one) from its validated spans."""
    from trimtab.assembly import verbs

    end(verbs.featurize(project, model), as_json)
