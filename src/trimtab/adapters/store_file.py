"""The files of a store's folder that are neither ledger nor blobs, as a backup takes them and brings them back."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from trimtab.adapters.durable_file import flush, flush_folder, write_whole
from trimtab.adapters.segment_file import end_of, stated_end
from trimtab.adapters.sqlite_file import connect
from trimtab.adapters.stream_segment import is_damaged, read_segment
from trimtab.atoms.error import Damaged, StoreError

#: Files are kept in pieces of this size, so that one that grew or changed in places shares most of them.
PIECE_BYTES = 4 << 20

STREAMS, KEYS, ONLINE, PRIVATE_KEY = "streams", "keys", "online.sqlite", "signing.key"


class StoreFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file as it is now."""

    #: Path below the store's folder, with `/`.
    name: str
    mode: int
    size_bytes: int
    #: True where a file of this name and size always has the same bytes.
    grows_only: bool
    pieces: Callable[[], Iterator[bytes]]


def store_files(folder: Path, *, signing_key: bool) -> Iterator[StoreFile]:
    """Every file to take along; each must be read before the next is asked for.

    A segment that is being written is taken up to its last whole batch: what was acknowledged is in it. Online
    features are copied as of one moment.

    Args:
        signing_key: Whether the private key is among them.
    """
    for path in sorted((folder / STREAMS).rglob("*.seg")):
        yield from _segment(folder, path)
    for path in sorted((folder / KEYS).glob("*")):
        if path.suffix == ".pub" or (signing_key and path.name == PRIVATE_KEY):
            yield _whole(folder, path)
    if (folder / ONLINE).exists():
        with tempfile.TemporaryDirectory(prefix="trimtab-") as place:
            copy = Path(place) / ONLINE
            with closing(connect(folder / ONLINE)) as origin, closing(sqlite3.connect(copy)) as made:
                origin.backup(made)
            yield _file(ONLINE, 0o600, copy, copy.stat().st_size, grows_only=False)


def bring_back(folder: Path, name: str, mode: int, pieces: Iterable[bytes]) -> None:
    """Put a file where it was, durable and whole or not at all; a private key that is there stays.

    Raises:
        StoreError: Another file is in its place.
    """
    path = _inside(folder, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.name == PRIVATE_KEY and path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    try:
        _write(draft, mode, pieces)
        if path.suffix == ".seg" and path.exists() and not _begins_with(draft, path):
            raise StoreError(
                f"{path} is not the beginning of the one in the backup: restore into an empty folder"
            )
        if name == ONLINE:
            for more in ("-wal", "-shm"):
                path.with_name(path.name + more).unlink(missing_ok=True)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    flush_folder(path.parent)


def _segment(folder: Path, path: Path) -> Iterator[StoreFile]:
    name = path.relative_to(folder).as_posix()
    try:
        # The end first: of a segment whose end is not stated yet, more may come.
        end = stated_end(path)
        size = path.stat().st_size if end is not None else _acknowledged(path, 0)
    except FileNotFoundError:
        return  # forgotten meanwhile
    file = _file(name, 0o600, path, size, grows_only=True)
    if end is None:
        yield file
        return

    def pieces() -> Iterator[bytes]:
        _acknowledged(path, end)
        return file.pieces()

    yield msgspec.structs.replace(file, pieces=pieces)
    yield _whole(folder, end_of(path))


def _acknowledged(path: Path, least: int) -> int:
    """Bytes of the whole batches of a segment; Damaged where some are gone, or there are fewer than `least`."""
    frames = read_segment(path, 0)
    if frames.end < least or (frames.torn and not least and is_damaged(path.read_bytes())):
        raise Damaged(
            f"stream segment {path} is damaged on disk after byte {frames.end}: restore it from a backup"
        )
    return frames.end


def _whole(folder: Path, path: Path) -> StoreFile:
    stat = path.stat()
    name = path.relative_to(folder).as_posix()
    return _file(name, stat.st_mode & 0o777, path, stat.st_size, grows_only=False)


def _file(name: str, mode: int, path: Path, size_bytes: int, *, grows_only: bool) -> StoreFile:
    def pieces() -> Iterator[bytes]:
        with path.open("rb") as file:
            for start in range(0, size_bytes, PIECE_BYTES):
                yield file.read(min(PIECE_BYTES, size_bytes - start))

    return StoreFile(name=name, mode=mode, size_bytes=size_bytes, grows_only=grows_only, pieces=pieces)


def _inside(folder: Path, name: str) -> Path:
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or parts[0] not in (STREAMS, KEYS, ONLINE):
        raise StoreError(f"a backup does not put a file at {name!r}: it was not made by Trimtab")
    return folder.joinpath(*parts)


def _write(draft: Path, mode: int, pieces: Iterable[bytes]) -> None:
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode & 0o700)
    try:
        for piece in pieces:
            write_whole(descriptor, piece)
        os.fchmod(descriptor, mode & 0o777)
        flush(descriptor)
    finally:
        os.close(descriptor)


def _begins_with(longer: Path, shorter: Path) -> bool:
    with longer.open("rb") as one, shorter.open("rb") as other:
        while piece := other.read(PIECE_BYTES):
            if one.read(len(piece)) != piece:
                return False
    return True
