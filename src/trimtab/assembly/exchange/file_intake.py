"""Files on their way into the store: hashed as they are read, kept in pieces, and read back."""

import hashlib
from collections.abc import Iterator, Sequence

from trimtab.assembly.exchange.foreign import ForeignFile
from trimtab.atoms.error import UsageError
from trimtab.atoms.run import LoggedFile
from trimtab.engine.side_by_side import side_by_side
from trimtab.engine.store import Store
from trimtab.tracking.file import PIECE_BYTES
from trimtab.tracking.rule import microseconds_of, require_path


def keep_file(store: Store, file: ForeignFile) -> tuple[LoggedFile, str]:
    """Keep a file's content; returns what it is here, and the SHA-256 of what was read.

    Raises:
        UsageError: Its path may not be one here, or it cannot be read there.
    """
    require_path(file.path)
    whole, size, blobs = hashlib.sha256(), 0, []
    for piece in _pieces(file.read()):
        whole.update(piece)
        size += len(piece)
        blobs.append(store.blobs.put(piece))
    if not blobs:
        blobs.append(store.blobs.put(b""))
    at_us = file.at_us or microseconds_of(store.now())
    return LoggedFile(path=file.path, size_bytes=size, blobs=tuple(blobs), at_us=at_us), whole.hexdigest()


def keep_files(
    store: Store, files: Sequence[ForeignFile], *, threads: int
) -> tuple[list[tuple[LoggedFile, str]], list[UsageError]]:
    """Keep files, as `keep_file` does each; those that cannot be kept are among the refusals."""

    def keep(file: ForeignFile) -> tuple[LoggedFile, str] | UsageError:
        try:
            return keep_file(store, file)
        except UsageError as error:
            return error

    kept: list[tuple[LoggedFile, str]] = []
    refused: list[UsageError] = []
    for one in side_by_side(keep, files, threads=threads):
        if isinstance(one, UsageError):
            refused.append(one)
        else:
            kept.append(one)
    return kept, refused


def digest_of(pieces: Iterator[bytes]) -> str:
    """SHA-256 of content that comes in pieces."""
    whole = hashlib.sha256()
    for piece in pieces:
        whole.update(piece)
    return whole.hexdigest()


def _pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of the size that files are kept in."""
    gathered = bytearray()
    for chunk in chunks:
        gathered += chunk
        while len(gathered) >= PIECE_BYTES:
            yield bytes(gathered[:PIECE_BYTES])
            del gathered[:PIECE_BYTES]
    if gathered:
        yield bytes(gathered)
