"""Files on their way into the store: hashed as they are read, kept in pieces, and read back."""

import hashlib
from collections.abc import Iterator

from trimtab.assembly.exchange.foreign import ForeignFile
from trimtab.atoms.run import LoggedFile
from trimtab.engine.store import Store
from trimtab.tracking.file import PIECE_BYTES
from trimtab.tracking.rule import microseconds_of, require_path


def keep_file(store: Store, file: ForeignFile) -> tuple[LoggedFile, str]:
    """Keep a file's content; returns what it is here, and the SHA-256 of what was read.

    Raises:
        UsageError: Its path may not be one here.
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
