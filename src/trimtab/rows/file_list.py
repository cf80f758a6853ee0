"""File lists: what a folder holds, cut into stretches that versions share.

A list is msgpack under zlib, not Parquet: it is read and written by a command that ends in a tenth of a second,
and loading the library for Parquet alone takes twice that (decision record 0008).
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum

import msgspec

from trimtab.atoms.error import Damaged

#: Layout of a list; a program refuses one that it does not know.
LAYOUT = 1
#: Files of one list: at least, and at most; between them the path's own digest decides where it ends.
LEAST, MOST = 512, 8192
#: One path in so many ends a list.
_ONE_IN = 2048
_LEVEL = 1


class Sort(IntEnum):
    """What a name in a folder stands for."""

    FILE = 0
    PROGRAM = 1  # a file that may be executed
    LINK = 2  # its bytes are the place it leads to
    EMPTY_FOLDER = 3


class Piece(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Bytes of a file that are stored as one."""

    #: SHA-256 of the piece.
    digest: bytes
    size_bytes: int
    #: Key of the blob that it lies in.
    pack: bytes
    #: Its first byte in the blob.
    start: int
    #: A quick hash of the piece (`rows.stretch.quick`) that tells whether it changed; b"" where a file is one piece.
    quick: bytes = b""


class File(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A name in a folder and what it stands for."""

    #: Relative to the folder, parted by `/`, in the file system's own bytes.
    path: bytes
    sort: int
    size_bytes: int
    #: SHA-256 of the bytes; of the pieces' digests (see `digest_of`) where there are several.
    digest: bytes
    pieces: tuple[Piece, ...]


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """A list at rest."""

    layout: int
    packs: list[bytes]
    #: path, sort, size, digest, then pack number and start of the only piece, or all pieces.
    rows: list[tuple[bytes, int, int, bytes, int, int, list[tuple[bytes, int, int, int, bytes]]]]


def digest_of(pieces: Sequence[bytes]) -> bytes:
    """The digest of a file from those of its pieces: its own where there is one, of all of them else.

    A large file is hashed once, piece by piece and on several cores; hashing it as a whole too would take twice
    the time.
    """
    if len(pieces) == 1:
        return pieces[0]
    return hashlib.sha256(b"trimtab/pieces/1\n" + b"".join(pieces) if pieces else b"").digest()


def whole_digest(files: Iterable[File]) -> str:
    """What a folder with these files is called: equal for equal paths, sorts and contents, in order of path."""
    state = hashlib.sha256(b"trimtab/folder/1\n")
    for file in files:
        state.update(b"%d %d:%b%b" % (file.sort, len(file.path), file.path, file.digest))
    return state.hexdigest()


def cut_lists(files: Sequence[File]) -> Iterator[Sequence[File]]:
    """Files in order of path, cut so that a file more or less changes one list and not all that follow."""
    start = 0
    for place, file in enumerate(files, start=1):
        count = place - start
        if count >= MOST or (count >= LEAST and zlib.crc32(file.path) % _ONE_IN == 0):
            yield files[start:place]
            start = place
    if start < len(files):
        yield files[start:]


def write_list(files: Sequence[File]) -> bytes:
    """The files of one list as bytes; the same files give the same bytes."""
    numbers: dict[bytes, int] = {}
    rows: list[tuple[bytes, int, int, bytes, int, int, Sequence[tuple[bytes, int, int, int, bytes]]]] = []
    for path, sort, size_bytes, digest, pieces in map(_fields, files):
        if len(pieces) == 1:
            piece = pieces[0]
            number = numbers.setdefault(piece.pack, len(numbers))
            rows.append((path, sort, size_bytes, digest, number, piece.start, ()))
        else:
            many = [
                (p.digest, p.size_bytes, numbers.setdefault(p.pack, len(numbers)), p.start, p.quick)
                for p in pieces
            ]
            rows.append((path, sort, size_bytes, digest, -1, 0, many))
    return zlib.compress(msgspec.msgpack.encode((LAYOUT, list(numbers), rows)), _LEVEL)


def read_list(content: bytes) -> list[File]:
    """The files that `write_list` wrote.

    Raises:
        Damaged: These bytes are no file list, or one of a later layout.
    """
    try:
        stored = msgspec.msgpack.decode(zlib.decompress(content), type=_Stored)
        if stored.layout != LAYOUT:
            raise Damaged(f"a file list of layout {stored.layout}: upgrade Trimtab, which knows {LAYOUT}")
        packs = stored.packs
        return [
            File(
                path,
                sort,
                size_bytes,
                digest,
                (Piece(digest, size_bytes, packs[number], start),)
                if number >= 0
                else tuple(
                    Piece(own, size, packs[place], first, fast) for own, size, place, first, fast in many
                ),
            )
            for path, sort, size_bytes, digest, number, start, many in stored.rows
        ]
    except (zlib.error, msgspec.DecodeError, IndexError) as error:
        raise Damaged(f"these bytes are no file list: {error}") from error


def _fields(file: File) -> tuple[bytes, int, int, bytes, tuple[Piece, ...]]:
    return file.path, file.sort, file.size_bytes, file.digest, file.pieces
