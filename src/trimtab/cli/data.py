"""`trimtab data`: versions of data: their log, their differences, and bringing them back."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trimtab.cli.bar import Bar
from trimtab.cli.option import as_json, common, example
from trimtab.cli.screen import minute, plain, print_json, screen, table

if TYPE_CHECKING:
    from trimtab.assembly.project import Project
    from trimtab.engine.store import Store


@click.group()
def data() -> None:
    """Versions of data: what there is, what changed, and any of them brought back."""


@data.command(epilog=example("trimtab data log", "trimtab data log images --json"))
@click.argument("source", metavar="[NAME]", required=False)
@common
@as_json
def log(source: str | None, project: Path | None, store: str | None, as_json: bool) -> None:
    """List the versions of NAME, or of every source, oldest first."""
    from trimtab.assembly.versions.data_version import log_account

    with closing(_project(project, store).open_store(create=False)) as opened:
        lines = log_account(opened, source)
    if as_json:
        print_json({"versions": lines})
        return
    made = table("data", "at", "snapshot", "files#", "rows#", "bytes#", "by", "what came")
    for line in lines:
        made.add_row(
            f"{line['source']}@{line['version']}",
            minute(line["at"]),
            line["snapshot"][:12],
            f"{line['files']:,}",
            "-" if line["rows"] is None else f"{line['rows']:,}",
            f"{line['size_bytes']:,}",
            plain(line["by"].removeprefix("person:")),
            plain(line["forgotten"] or line["note"]),
        )
    screen().print(made if lines else "Nothing was ingested yet.")


@data.command(epilog=example("trimtab data diff images", "trimtab data diff flights@v1 flights@v3 --json"))
@click.argument("before")
@click.argument("after", required=False)
@click.option("--sample", default=5, show_default=True, help="How many names or rows of each sort to show.")
@common
@as_json
def diff(
    before: str, after: str | None, sample: int, project: Path | None, store: str | None, as_json: bool
) -> None:
    """Tell what was added, removed and changed from BEFORE to AFTER (default: the newest version).

    With one NAME alone: from the version before the newest to the newest. Of a folder files are compared, of a
    table rows by their key, and columns.
    """
    with closing(_project(project, store).open_store(create=False)) as opened:
        account = _difference(opened, before, after, sample)
    if as_json:
        print_json(account)
    else:
        _tell_difference(account)


@data.command(
    epilog=example(
        "trimtab data checkout images@v3",
        "trimtab data checkout flights@2013-03-31 --to past.parquet",
        "trimtab data checkout images.trimtab",
    )
)
@click.argument("name")
@click.option(
    "--to", type=click.Path(path_type=Path), help="Folder; of a table also one FILE.parquet or FILE.csv."
)
@click.option(
    "--format", "form", type=click.Choice(["parquet", "csv"]), help="Of a table.  [default: parquet]"
)
@click.option("--force", is_flag=True, help="Overwrite files that no version holds.")
@common
@as_json
def checkout(
    name: str,
    to: Path | None,
    form: str | None,
    force: bool,
    project: Path | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Bring a version back: NAME, NAME@WHICH, or what a pointer file says.

    WHICH is a version (`v3`), a span of a table, the first digits of a snapshot's id, or a date or moment in UTC;
    a date alone is the end of that day. Files that are as they should be are left alone; files that no version
    holds are never overwritten without --force.
    """
    from trimtab.assembly.versions.data_checkout import check_out_files, request

    chosen = _project(project, store, declarations=True)
    # A pointer is enough: the store of another machine may be empty but for the blobs it shares.
    with closing(chosen.open_store(create=name.endswith(".trimtab"))) as opened, Bar() as bar:
        wanted = request(chosen, opened, name, to)

        def progress(done: int, total: int) -> None:
            bar.move(done, total, "writing")

        as_it_is = wanted.snapshot.folder is not None or (
            form in (None, "parquet")
            and wanted.known_by is None
            and wanted.target.suffix not in (".csv", ".parquet")
        )
        if as_it_is:
            done = check_out_files(chosen, opened, wanted, force=force, progress=progress)
        else:
            from trimtab.assembly.versions.table_checkout import check_out_rows

            said = form or wanted.target.suffix.removeprefix(".") or "parquet"
            done = check_out_rows(opened, wanted, said, force=force, progress=progress)
    account = {
        "version": wanted.label,
        "to": str(wanted.target),
        "written": done.written,
        "written_bytes": done.written_bytes,
        "unchanged": done.left,
        "removed": done.removed,
        "foreign": len(done.foreign),
    }
    if as_json:
        print_json(account)
        return
    kept = f"; {len(done.foreign):,} other files left alone" if done.foreign else ""
    click.echo(
        f"{wanted.label} in {wanted.target}: {done.written:,} files written ({done.written_bytes:,} bytes), "
        f"{done.left:,} were as they should be, {done.removed:,} removed{kept}"
    )


@data.command(
    epilog=example("trimtab data pointer images", "trimtab data pointer images@v3 -o data/images.trimtab")
)
@click.argument("name")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The file.  [default: beside the data]",
)
@common
@as_json
def pointer(name: str, output: Path | None, project: Path | None, store: str | None, as_json: bool) -> None:
    """Write a small file that names a version, to be committed to git.

    `trimtab data checkout FILE` brings the version to any machine whose store has the same blobs.
    """
    from trimtab.assembly.versions.data_pointer import write_pointer

    chosen = _project(project, store, declarations=True)
    with closing(chosen.open_store(create=False)) as opened:
        path, made = write_pointer(chosen, opened, name, output)
    if as_json:
        print_json({"file": str(path), "snapshot": made.snapshot, "content": made.content})
    else:
        click.echo(f"{path}: {made.source}, {made.files:,} files, {made.size_bytes:,} bytes")


def _project(folder: Path | None, store: str | None, *, declarations: bool = False) -> "Project":
    from trimtab.assembly.project import open_project

    bare = open_project(folder, store, declarations=False)
    if declarations and (bare.folder / bare.file).exists():
        return open_project(folder, store)
    return bare


def _difference(store: "Store", before: str, after: str | None, sample: int) -> dict[str, Any]:
    from trimtab.assembly.versions.data_version import choose_pair
    from trimtab.assembly.versions.folder_diff import diff_folders

    was, now = choose_pair(store, before, after)
    sort = {"folder" if each.snapshot.folder is not None else "table" for each in (was, now)}
    account: dict[str, Any] = {"before": was.label, "after": now.label, "sort": min(sort)}
    if len(sort) > 1:
        raise click.UsageError(f"{was.label} and {now.label}: one is a folder, the other a table")
    if sort == {"folder"}:
        return account | diff_folders(store, was.snapshot, now.snapshot).account(sample)
    from trimtab.assembly.versions.table_versions import account as table_account
    from trimtab.assembly.versions.table_versions import diff_versions

    return account | table_account(diff_versions(store, was, now, sample=sample))


def _tell_difference(account: dict[str, Any]) -> None:
    what = "files" if account["sort"] == "folder" else "rows"
    counts = ", ".join(
        f"{account[word]:,} {word}"
        for word in ("added", "removed", "changed", "unchanged")
        if word in account
    )
    click.echo(f"{account['before']} -> {account['after']}: {what}: {counts}")
    for word, columns in account.get("columns", {}).items():
        for column in columns:
            said = (
                column if isinstance(column, str) else f"{column['name']}: {column['from']} -> {column['to']}"
            )
            click.echo(f"  column {word}: {said}")
    for span, each in account.get("spans", {}).items():
        said = ", ".join(f"{count:,} {word}" for word, count in each.items() if count)
        click.echo(f"  {span}: {said}")
    signs = {"added": "+", "removed": "-", "changed": "~", "permission": "x"}
    for word, items in account["sample"].items():
        for item in items:
            click.echo(f"  {signs[word]} {item}")
        if len(items) < account.get(word, 0):
            click.echo(f"  {signs[word]} ... {account[word]:,} in all")
