"""Bringing a version of data back: by name from this store, or by a pointer from whatever store has the blobs."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from trimtab.adapters.late_cut import late_cuts
from trimtab.assembly.folder_steps import files_of, stat_index
from trimtab.assembly.project import Project
from trimtab.assembly.versions.data_pointer import SUFFIX, Pointer, place_of_data, read_pointer, stays_below
from trimtab.assembly.versions.data_version import choose
from trimtab.assembly.versions.folder_checkout import CheckedOut, FolderCheckout, Stored
from trimtab.atoms.content.snapshot import Snapshot, Span
from trimtab.atoms.digest import SHORT
from trimtab.atoms.error import StoreError, UsageError
from trimtab.engine.store import Store
from trimtab.loop.ingest.folder import Progress
from trimtab.rows.file_list import File, Piece, Sort
from trimtab.rows.stretch import uncut
from trimtab.views.version import read_versions


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be brought where."""

    #: For people: `images@v3`, or the pointer's name.
    label: str
    snapshot: Snapshot
    #: Absolute.
    target: Path
    span: str | None = None
    known_by: datetime | None = None

    @property
    def spans(self) -> list[Span]:
        """The spans that were asked for."""
        return [span for span in self.snapshot.spans if self.span in (None, span.name)]


def request(project: Project, store: Store, what: str, to: Path | None) -> Request:
    """Find out what NAME[@WHICH] or a pointer's path means, and where it goes.

    Args:
        to: Where; by default where the project file says the source lies, or where the pointer says.

    Raises:
        UsageError: Nothing is called so, or the pointer is none.
        StoreError: The store does not have the content that the pointer names.
    """
    if what.endswith(SUFFIX):
        path = Path(what)
        pointer = read_pointer(path)
        target = to if to is not None else path.parent / _inside(pointer, path)
        return Request(path.name, _pointed(store, pointer), Path(os.path.abspath(target)))
    chosen = choose(store, read_versions(store.ledger), what)
    target = to if to is not None else place_of_data(project, chosen)
    return Request(chosen.label, chosen.snapshot, Path(os.path.abspath(target)), chosen.span, chosen.known_by)


def check_out_files(
    project: Project, store: Store, wanted: Request, *, force: bool, progress: Progress
) -> CheckedOut:
    """Bring the files of a folder, or the spans of a table as the Parquet files that they are.

    Raises:
        UsageError: Files that no version holds would be overwritten.
        StoreError: Bytes are missing, or the disk cannot be written.
    """
    if wanted.snapshot.folder is not None:
        files = files_of(store, wanted.snapshot)
        sizes = {part.blob: part.size_bytes for part in wanted.snapshot.folder.packs}
    else:
        files = [_as_file(span) for span in wanted.spans]
        sizes = {}
    checkout = FolderCheckout(
        store.blobs,
        stat_index(project.store_folder),
        str(wanted.target),
        sorted(files, key=lambda file: file.path),
        sizes,
        without=[os.path.abspath(project.store_folder)],
        cuts=late_cuts if wanted.snapshot.folder is not None else uncut,
    )
    return checkout.run(lambda: stored_files(store, wanted.snapshot.source), force=force, progress=progress)


def stored_files(store: Store, source: str) -> Stored:
    """Paths and digests of all files that some version of a source holds."""
    found = Stored(set(), set())
    for version in read_versions(store.ledger).of(source):
        snapshot = store.read(version.snapshot, Snapshot)
        try:
            files = [*files_of(store, snapshot), *map(_as_file, snapshot.spans)]
        except StoreError:
            continue  # a forgotten version holds nothing any more
        found.paths.update(file.path for file in files)
        found.digests.update(file.digest for file in files)
    return found


def _as_file(span: Span) -> File:
    key = bytes.fromhex(span.table.blob)
    size = span.table.size_bytes
    return File(os.fsencode(f"{span.name}.parquet"), Sort.FILE, size, key, (Piece(key, size, key, 0),))


def _pointed(store: Store, pointer: Pointer) -> Snapshot:
    try:
        return Snapshot.parse(store.blobs.get(pointer.content))
    except KeyError as error:
        where = (
            f"they are in {pointer.blobs}: name it with --store or in trimtab.toml"
            if pointer.blobs
            else ("they are in the store that the pointer was made in: let both use one place for blobs")
        )
        raise StoreError(f"this store has no blob {pointer.content[:SHORT]}; {where}") from error


def _inside(pointer: Pointer, path: Path) -> str:
    """The pointer's own place for its data, which must lie beside or below it."""
    if not stays_below(pointer.path):
        raise UsageError(f"{path}: path = {pointer.path!r} leads out of its folder: name a folder with --to")
    return pointer.path
