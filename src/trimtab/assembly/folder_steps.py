"""A folder of files through the loop; apart from the steps of tables, whose libraries it does not need."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from trimtab.adapters.late_cut import late_cuts
from trimtab.adapters.stat_file import StatFiles
from trimtab.assembly.session import Session
from trimtab.atoms.content.content import Part
from trimtab.atoms.content.snapshot import Snapshot
from trimtab.atoms.error import UsageError
from trimtab.engine.step import Done
from trimtab.engine.store import Store
from trimtab.engine.work import Work
from trimtab.loop import ingest as ingest_stage
from trimtab.loop.ingest.folder import WHOLE, Look, Progress, ingest_folder, look, only_touched, to_remember
from trimtab.ports.stat_index import StatIndex
from trimtab.rows.file_list import File, read_list


def stat_index(store_folder: Path) -> StatIndex:
    """The stat index of a store, in its own folder also where ledger and blobs lie elsewhere."""
    return StatFiles(store_folder / "cache")


def place_name(folder: str) -> str:
    """What the stat index calls a folder of files."""
    return f"folder:{folder}"


def files_of(store: Store, snapshot: Snapshot) -> list[File]:
    """The files of a folder snapshot, in order of path."""
    lists = snapshot.folder.lists if snapshot.folder is not None else ()
    return [file for part in lists for file in read_list(store.part(part))]


def silent(done: int, total: int) -> None:
    """For whoever does not want the progress."""


def ingest_folder_source(
    session: Session, source: str, folder: Path, progress: Progress = silent
) -> Done | None:
    """Bring a folder's files into a snapshot; None where it holds what the newest one holds.

    Args:
        progress: Told of bytes read, and of bytes in all.
    """
    place = os.path.abspath(folder)
    index = stat_index(session.project.store_folder)
    # The files are stamped by the machine's own clock, whatever time the session goes by.
    seen = look(place, index.recall(place_name(place)), time.time_ns(), without=[_store_place(session)])
    if not seen.stats:
        raise UsageError(f"source {source!r}: {place} holds no file: is it the right folder, and mounted?")
    previous = session.memory.spans.snapshot(source)
    if previous is not None and _is_as_before(session.store, seen, previous, index):
        return None
    files: list[File] = []
    whole = ""

    def step(work: Work) -> None:
        nonlocal whole
        found, whole = ingest_folder(
            work,
            source,
            _lay(session, place),
            seen,
            previous,
            lambda: _lists_elsewhere(session),
            late_cuts,
            progress,
        )
        files.extend(found)

    done = session.run(
        ingest_stage.CARD,
        "ingest",
        source,
        step,
        took=[previous] if previous else [],
        parameters={"folder": place},
        # What a folder holds is known when it has been read: there is nothing to remember it by before.
        remembered=False,
    )
    index.remember(place_name(place), to_remember(seen, files, whole))
    return done


def _is_as_before(store: Store, seen: Look, previous: str, index: StatIndex) -> bool:
    before = store.read(previous, Snapshot)
    whole = before.files.get(WHOLE, "")
    if before.folder is None:
        return False
    if seen.untouched and seen.known.whole == whole:
        return True
    files = files_of(store, before)
    if not only_touched(seen, files, late_cuts):
        return False
    index.remember(place_name(seen.place), to_remember(seen, files, whole))
    return True


def _lists_elsewhere(session: Session) -> Iterator[Part]:
    """The file lists of all folder snapshots, each once."""
    given: set[str] = set()
    spans = session.memory.spans
    for source in spans.sources():
        for snapshot in reversed(spans.snapshots(source)):
            folder = session.store.read(snapshot, Snapshot).folder
            for part in folder.lists if folder is not None else ():
                if part.blob not in given:
                    given.add(part.blob)
                    yield part


def _lay(session: Session, place: str) -> str:
    """Where a folder lies from the project's folder; empty where it is not below it."""
    root = os.path.abspath(session.project.folder)
    return os.path.relpath(place, root).replace(os.sep, "/") if place.startswith(root + os.sep) else ""


def _store_place(session: Session) -> str:
    return os.path.abspath(session.project.store_folder)
