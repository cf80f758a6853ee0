"""`trimtab gc`: free the bytes that nothing needs."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trimtab.cli.bar import Bar
from trimtab.cli.option import as_json, common, example
from trimtab.cli.screen import print_json

if TYPE_CHECKING:
    from trimtab.assembly.upkeep.garbage import Freed

#: Below this the clocks of two machines may decide what goes.
LEAST_IDLE_SECONDS = 60


@click.command(
    epilog=example("trimtab gc --dry-run", "trimtab gc --older 90d", "trimtab gc --pin late_arrival@3")
)
@click.option("--dry-run", is_flag=True, help="Say what would go; change nothing.")
@click.option(
    "--idle",
    default="1h",
    show_default=True,
    metavar="TIME",
    help="Spare what somebody kept less than this ago: a step may be about to record it.",
)
@click.option(
    "--older",
    metavar="TIME",
    help="Forget also the parts of refused models, old snapshots, feature tables and windows that nobody made or used "
    "for so long. What was ever in production stays, with all that it was trained on.",
)
@click.option("--pin", metavar="NAME", help="Keep this artifact whole, however old it gets, and end.")
@click.option("--unpin", metavar="NAME", help="Take a pin away, and end.")
@common
@as_json
def gc(
    dry_run: bool,
    idle: str,
    older: str | None,
    pin: str | None,
    unpin: str | None,
    project: Path | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Free bytes that nothing needs; safe while the store is in use.

    Records and their content always stay: `trimtab lineage` and `trimtab fsck` say of a thing whose parts went when
    and by whose decision.
    """
    from trimtab.assembly.project import open_project
    from trimtab.assembly.session import person
    from trimtab.assembly.upkeep.disk import disk_bytes
    from trimtab.assembly.upkeep.garbage import collect_garbage
    from trimtab.spec.duration import parse_duration

    patience = parse_duration(idle, "--idle")
    age = parse_duration(older, "--older") if older else None
    if patience.total_seconds() < LEAST_IDLE_SECONDS:
        raise click.UsageError(f"--idle {idle}: at least 1m, as clocks differ")
    if pin and unpin:
        raise click.UsageError("--pin and --unpin: give one of them")
    chosen = open_project(project, store, declarations=False)
    before = disk_bytes(chosen.store_folder)
    opened = chosen.place.open(create=False, copies=False)
    try:
        if name := pin or unpin:
            _pin(opened, name, unpin=unpin is not None)
            return
        with Bar() as bar:
            freed = collect_garbage(
                opened,
                by=person(),
                idle=patience,
                older=age,
                dry_run=dry_run,
                progress=lambda part, done, whole: bar.move(done, whole, part),
            )
    finally:
        opened.close()
    after = disk_bytes(chosen.store_folder)
    if as_json:
        print_json({**asdict(freed), "disk_bytes_before": before, "disk_bytes_after": after})
    else:
        _tell(freed, before, after)


def _pin(store: Any, name: str, *, unpin: bool) -> None:
    from trimtab.assembly.session import person
    from trimtab.assembly.upkeep.pin import pin
    from trimtab.views.memory import Memory
    from trimtab.views.name import resolve

    memory = Memory(store)
    memory.refresh()
    artifact = resolve(memory, name)
    pin(store, artifact, by=person(), unpin=unpin)
    click.echo(f"{name} ({artifact[:12]}) is {'pinned no more' if unpin else 'pinned: its parts stay'}")


def _tell(freed: "Freed", before: int, after: int) -> None:
    would = "would be " if freed.dry_run else ""
    if freed.forgotten:
        click.echo(f"{freed.forgotten:,} artifacts {would}forgotten: their records and content stay")
    click.echo(f"{freed.blobs:,} blobs of {freed.bytes:,} bytes {would}freed")
    if freed.temporaries:
        click.echo(f"{freed.temporaries:,} half-written files of dead processes removed")
    if freed.young:
        click.echo(
            f"{freed.young:,} blobs of {freed.young_bytes:,} bytes are needed by nothing, but too young to go"
        )
    click.echo(f"{freed.kept:,} blobs of {freed.kept_bytes:,} bytes stay")
    click.echo(f"on this disk: {before:,} bytes" + ("" if freed.dry_run else f" before, {after:,} after"))
