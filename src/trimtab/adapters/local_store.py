"""A whole store in one folder of this machine."""

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from trimtab.adapters.durable_file import flush_folder, write_new
from trimtab.adapters.local_blobs import LocalBlobs
from trimtab.adapters.process_holder import this_process
from trimtab.adapters.segment_streams import SegmentStreams
from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.adapters.sqlite_online_features import SqliteOnlineFeatures
from trimtab.adapters.system_clock import SystemClock
from trimtab.atoms.error import StoreError, UsageError
from trimtab.engine.store import Store
from trimtab.ports.blobs import Blobs
from trimtab.ports.clock import Clock
from trimtab.ports.ledger import Ledger

#: Layout of the folder; a program refuses a higher one than its own.
VERSION = 1


def open_store(
    folder: Path,
    *,
    clock: Clock | None = None,
    create: bool = True,
    ledger: Callable[[], Ledger] | None = None,
    blobs: Callable[[], Blobs] | None = None,
) -> Store:
    """Open the store in `folder`, with what dead processes left behind removed.

    Args:
        folder: Usually `.trimtab` in the project.
        clock: The time the store is read by; the machine's own where None.
        create: Whether to make a store where there is none; a folder beside a ledger elsewhere is always made.
        ledger: Opens the ledger where it lies elsewhere; None: in the folder.
        blobs: Opens the blobs where they lie elsewhere; None: in the folder.

    Raises:
        UsageError: There is no store and `create` is False, or `folder` is not a folder.
        StoreError: The store is newer than this program, or the folder may not be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder for the store")
    if not create and ledger is None and not (folder / "version").is_file():
        raise UsageError(
            f"there is no store in {folder}: trimtab.run() and `trimtab up` make one, and --store names another"
        )
    try:
        _lay_out(folder)
        if ledger is None:
            _require_ledger(folder)
        with ExitStack() as opened:
            opened_ledger = ledger() if ledger else SqliteLedger(folder / "ledger.sqlite")
            opened.callback(opened_ledger.close)
            opened_blobs = blobs() if blobs else LocalBlobs(folder / "blobs")
            opened_blobs.sweep()
            online = SqliteOnlineFeatures(folder / "online.sqlite")
            opened.callback(online.close)
            streams = SegmentStreams(folder / "streams")
            opened.callback(streams.close)
            flush_folder(folder)  # the names that were made meanwhile
            opened.pop_all()
    except PermissionError as error:
        raise StoreError(
            f"{error.filename} may not be written by this user: check its owner and mode"
        ) from error
    except OSError as error:
        raise StoreError(
            f"the store in {folder} cannot be opened: {error.strerror} ({error.filename})"
        ) from error
    return Store(
        ledger=opened_ledger,
        blobs=opened_blobs,
        streams=streams,
        online=online,
        clock=clock or SystemClock(),
        holder=this_process(),
    )


def _require_ledger(folder: Path) -> None:
    """Refuse to begin a new ledger where there was one: it is made before the first blob is put."""
    stated = folder / "ledger.sqlite"
    if stated.exists() and stated.stat().st_size:
        return
    if next(folder.glob("blobs/??/*"), None):
        raise StoreError(
            f"{stated} is empty or gone, but the store holds what it recorded: restore it from a backup"
        )


def _lay_out(folder: Path) -> None:
    made = [each for each in folder.absolute().parents if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    stated = folder / "version"
    if not stated.exists():
        for parent in {*(each.parent for each in made), folder.absolute().parent}:
            with suppress(PermissionError):  # who may not read a folder cannot flush it
                flush_folder(parent)
        draft = folder / f"version.{os.getpid()}"
        draft.unlink(missing_ok=True)
        write_new(draft, f"{VERSION}\n".encode())
        os.replace(draft, stated)
    text = stated.read_text(encoding="utf-8", errors="replace").strip()
    if not text.isdigit() or int(text) < 1:
        raise StoreError(f"{stated} does not hold a version number: this is no Trimtab store")
    if int(text) > VERSION:
        raise StoreError(
            f"{folder} was written by a newer Trimtab (store version {text}, this program knows {VERSION}): "
            "upgrade with `pip install --upgrade trimtab`"
        )
    (folder / "streams").mkdir(mode=0o700, exist_ok=True)
    flush_folder(folder)
