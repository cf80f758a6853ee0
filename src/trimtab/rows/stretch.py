"""Which stretches of a file are stored, and what the file is called by them."""

import hashlib
import os
from collections.abc import Callable, Iterator

from trimtab.atoms.error import UsageError
from trimtab.ports.stat_index import FileStat
from trimtab.rows.file_list import digest_of
from trimtab.rows.folder import stat_of

#: Files above this size are cut by their content.
CUT_BYTES = 4 << 20

#: The ends of the pieces of so many bytes (second), read by (place, size): `rows.content_cut.cuts`.
Cuts = Callable[[Callable[[int, int], bytes], int], Iterator[int]]


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
