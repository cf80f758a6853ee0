"""`trimtab ingest`, `validate` and `featurize`: data on its way to a model."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.cli.bar import Bar
from trimtab.cli.option import acting, as_json, common, example
from trimtab.cli.outcome import end

if TYPE_CHECKING:
    from trimtab.assembly.project import Project


@click.command(
    epilog=example("trimtab ingest", "trimtab ingest flights --json", "trimtab ingest data/images")
)
@click.argument("source", required=False)
@click.option(
    "--name", help="What a file or folder that no project file declares is called.  [default: its own name]"
)
@common
@as_json
def ingest(
    source: str | None, name: str | None, project: Path | None, store: str | None, as_json: bool
) -> None:
    """Read the files of SOURCE (default: of every source) into a snapshot.

    SOURCE is one that the project file declares, or the path of any file or folder. A table is kept span by span;
    a folder file by file, with whatever is in it: what is stored already is not stored again, and a file that
    nobody touched is not read again.
    """
    from trimtab.assembly.ingest_verb import ingest_folders, intake, merged

    found = intake(project, store, source, name)
    with Bar() as bar:
        outcome = ingest_folders(found, lambda done, total: bar.move(done, total, "reading"))
    if found.tables:
        from trimtab.assembly import verbs

        outcome = merged(outcome, verbs.ingest_sources(found.project, found.tables))
    end(outcome, as_json)


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
