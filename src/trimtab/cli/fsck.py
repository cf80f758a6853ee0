"""`trimtab fsck`: prove that the store is whole."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.cli.bar import Bar
from trimtab.cli.option import as_json, common, example
from trimtab.cli.screen import plain, print_json, screen

if TYPE_CHECKING:
    from trimtab.assembly.upkeep.soundness import Soundness


@click.command(epilog=example("trimtab fsck", "trimtab fsck --strict --json"))
@click.option(
    "--strict",
    is_flag=True,
    help="Orphan blobs and what dead processes left are problems too; nobody may be at work.",
)
@common
@as_json
def fsck(strict: bool, project: Path | None, store: str | None, as_json: bool) -> None:
    """Re-hash every record and blob, walk the chain, hold the laws; change nothing.

    Exit status 1 says that something is not as it must be; each fault is named.
    """
    from trimtab.assembly.project import open_project
    from trimtab.assembly.upkeep.fsck import fsck as examine

    opened = open_project(project, store, declarations=False).open_store(create=False, copies=False)
    try:
        with Bar() as bar:
            found = examine(
                opened, strict=strict, on_progress=lambda part, done, whole: bar.move(done, whole, part)
            )
    finally:
        opened.close()
    if as_json:
        print_json({"sound": found.sound, **asdict(found)})
    else:
        _tell(found)
    if not found.sound:
        raise click.exceptions.Exit(1)


def _tell(found: "Soundness") -> None:
    paper = screen()
    for problem in found.problems:
        paper.print(f"[bold red]{problem.what}[/] {problem.id[:16]}  {plain(problem.says)}", soft_wrap=True)
    for action in found.open_actions:
        paper.print(f"[yellow]open[/] action {action[:16]}: under way, or left by a process that died")
    counts = (
        f"{found.entries:,} entries ({found.artifacts:,} artifacts, {found.checks:,} checks, "
        f"{found.actions:,} actions), {found.blobs:,} blobs, {found.bytes:,} bytes"
    )
    if found.orphans:
        counts += f", {len(found.orphans):,} orphan blobs"
    if found.forgotten:
        counts += f", parts of {len(found.forgotten):,} artifacts forgotten"
    verdict = "[green]whole[/]" if found.sound else f"[bold red]{len(found.problems)} problems[/]"
    paper.print(f"{verdict}: {counts}", soft_wrap=True)
