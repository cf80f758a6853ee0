"""`trimtab backup` and `trimtab restore`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trimtab.cli.bar import Bar
from trimtab.cli.option import as_json, common, example
from trimtab.cli.screen import minute, print_json, screen, table

if TYPE_CHECKING:
    from trimtab.assembly.upkeep.backup_place import BackupPlace
    from trimtab.assembly.upkeep.restore import Restored


@click.command(
    epilog=example(
        "trimtab backup /mnt/disk/flights",
        "trimtab backup s3://bucket/flights --with-signing-key",
        "trimtab backup /mnt/disk/flights --list",
    )
)
@click.argument("destination", metavar="DEST")
@click.option("--list", "listed", is_flag=True, help="Show the backups that are there, and end.")
@click.option(
    "--with-signing-key/--without-signing-key",
    "signing_key",
    default=None,
    help="Whether the private key that signs bundles goes along.  [default: yes into a folder, no into a bucket]",
)
@common
@as_json
def backup(
    destination: str,
    listed: bool,
    signing_key: bool | None,
    project: Path | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Copy ledger, blobs, streams and online features to DEST: a folder, or s3://bucket/prefix.

    The store may be in use. Only what is not there yet is copied; the backups in one place share the rest. A backup
    that was killed is none: run it again, and it goes on.
    """
    from trimtab.assembly.project import open_project
    from trimtab.assembly.upkeep.backup import back_up
    from trimtab.assembly.upkeep.backup_place import open_backup_place

    chosen = open_project(project, store, declarations=False)
    if listed:
        _list(open_backup_place(destination, create=False), as_json)
        return
    opened = chosen.open_store(create=False, copies=False)
    try:
        place = open_backup_place(destination, create=True, store=chosen.store_folder)
        with Bar() as bar:
            copied = back_up(
                opened,
                chosen.store_folder,
                place,
                signing_key=place.local if signing_key is None else signing_key,
                progress=lambda part, done, whole: bar.move(done, whole, part),
            )
    finally:
        opened.close()
    if as_json:
        print_json(asdict(copied))
        return
    click.echo(
        f"backup {copied.name}: {copied.entries:,} entries, {copied.blobs:,} blobs, {copied.blob_bytes:,} bytes"
    )
    click.echo(f"copied {copied.new:,} objects of {copied.new_bytes:,} bytes; the rest was there")
    if copied.signing_key:
        click.echo(
            f"the private signing key is in it: whoever can read {place.shown} can sign bundles as this project"
        )
    else:
        click.echo(
            "without a private signing key: a restored store verifies its bundles and signs new ones with a new key"
        )


def _list(place: "BackupPlace", as_json: bool) -> None:
    from trimtab.assembly.upkeep.backup_manifest import read_manifest

    found = [
        (name.removesuffix(".json"), read_manifest(place.manifests, name)) for name in place.manifests.names()
    ]
    if as_json:
        print_json(
            [
                {
                    "name": name,
                    "made_at": each.made_at,
                    "entries": each.entries,
                    "chain": each.chain,
                    "blobs": each.blobs,
                    "blob_bytes": each.blob_bytes,
                    "signing_key": each.signing_key,
                }
                for name, each in found
            ]
        )
        return
    shown = table("backup", "made (UTC)", "entries#", "blobs#", "bytes#", "signing key")
    for name, each in found:
        key = "yes" if each.signing_key else "no"
        counts = (f"{each.entries:,}", f"{each.blobs:,}", f"{each.blob_bytes:,}")
        shown.add_row(name, minute(each.made_at), *counts, key)
    screen().print(shown)


@click.command(
    epilog=example("trimtab restore /mnt/disk/flights", "trimtab restore s3://bucket/flights --at 20260301")
)
@click.argument("source", metavar="SRC")
@click.option(
    "--at", metavar="NAME", help="The beginning of a backup's name, such as a date.  [default: the newest]"
)
@click.option(
    "--salvage", is_flag=True, help="From a damaged backup: restore what can be, and say what was lost."
)
@common
@as_json
def restore(
    source: str, at: str | None, salvage: bool, project: Path | None, store: str | None, as_json: bool
) -> None:
    """Restore a backup from SRC into an empty store, or into an earlier state of the same one.

    Every digest and the whole chain are verified; it ends with `trimtab fsck`. When it was killed, run it again.
    """
    from trimtab.assembly.detached import alone
    from trimtab.assembly.project import open_project
    from trimtab.assembly.upkeep.backup_place import open_backup_place
    from trimtab.assembly.upkeep.restore import restore as bring_back

    chosen = open_project(project, store, declarations=False)
    place = open_backup_place(source, create=False, store=chosen.store_folder)
    with alone(chosen), Bar() as bar:
        done = bring_back(
            place,
            chosen.place,
            at=at,
            salvage=salvage,
            progress=lambda part, done, whole: bar.move(done, whole, part),
        )
    if as_json:
        print_json(asdict(done))
    else:
        _tell(done)
    if done.lost or not done.soundness.sound:
        raise click.exceptions.Exit(1)


def _tell(done: "Restored") -> None:
    for line in done.lost:
        click.echo(f"lost: {line}")
    for problem in done.soundness.problems:
        click.echo(f"{problem.what} {problem.id[:16]}  {problem.says}")
    click.echo(
        f"restored {done.name}: {done.entries:,} entries, {done.blobs:,} blobs, chain {done.chain[:16]}"
    )
    click.echo(
        f"copied {done.new:,} blobs of {done.new_bytes:,} bytes; fsck: {len(done.soundness.problems)} problems"
    )
    if not done.signing_key:
        click.echo(
            "the backup has no private signing key: bundles verify, and the next one is signed with a new key"
        )
