"""Which stretches of a file are stored, and what the file is called by them."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import xxhash

from trimtab.atoms.error import UsageError
from trimtab.ports.stat_index import FileStat
from trimtab.rows.file_list import Piece, digest_of
from trimtab.rows.folder import stat_of

#: Files above this size are cut by their content.
CUT_BYTES = 4 << 20


class Cuts(Protocol):
    """The ends of the pieces of so many bytes from a piece's end on: `rows.content_cut.cuts`."""

    def __call__(
        self, read: Callable[[int, int], bytes], size_bytes: int, start: int = 0, /
    ) -> Iterator[int]: ...


def uncut(read: Callable[[int, int], bytes], size_bytes: int, start: int = 0) -> Iterator[int]:
    """One piece, whatever its size: for files that are one blob, such as the spans of a table."""
    if start < size_bytes:
        yield size_bytes


def stretches(descriptor: int, size_bytes: int, cuts: Cuts) -> Iterator[tuple[int, int]]:
    """Start and size of each piece of an open file; none where it is empty."""
    if size_bytes <= CUT_BYTES:
        if size_bytes:
            yield 0, size_bytes
        return
    start = 0
    for end in cuts(lambda place, size: os.pread(descriptor, size, place), size_bytes):
        yield start, end - start
        start = end


def quick(content: bytes) -> bytes:
    """A hash at ten times the speed of SHA-256 that tells whether a piece of a known file changed.

    It is no proof against somebody who makes two contents for it on purpose.
    """
    return xxhash.xxh3_128_digest(content)


def changed_stretches(
    descriptor: int, size_bytes: int, cuts: Cuts, before: Sequence[Piece]
) -> Iterator[Piece | tuple[int, int]]:
    """What `stretches` gives, with the pieces of the file's earlier version in the place of those that are unchanged.

    A piece alone tells where it ends. So where the next piece of the earlier version is found again, nothing has to
    be searched; after a change the search goes on until it meets a piece that is known.
    """
    places = {piece.quick: place for place, piece in enumerate(before[:-1]) if piece.quick}
    start, following = 0, 0
    while start < size_bytes:
        # The last piece was ended by the end of the file.
        expected = before[following] if following < len(before) - 1 else None
        if expected is not None and quick(os.pread(descriptor, expected.size_bytes, start)) == expected.quick:
            yield expected
            start += expected.size_bytes
            following += 1
            continue
        end = next(cuts(lambda place, size: os.pread(descriptor, size, place), size_bytes, start))
        found = places.get(quick(os.pread(descriptor, end - start, start)))
        if found is not None and before[found].size_bytes == end - start:
            yield before[found]
            following = found + 1
        else:
            yield start, end - start
        start = end


def digest_file(place: str, stat: FileStat, cuts: Cuts) -> bytes:
    """The digest that a file would have in a file list; b"" where it no longer is as `stat` says.

    Args:
        place: Absolute; no link.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"{place} cannot be read: {error.strerror}") from error
    try:
        pieces = [
            hashlib.sha256(os.pread(descriptor, size, start)).digest()
            for start, size in stretches(descriptor, stat.size_bytes, cuts)
        ]
        return digest_of(pieces) if stat_of(os.fstat(descriptor)) == stat else b""
    finally:
        os.close(descriptor)
