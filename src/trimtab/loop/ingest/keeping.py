"""Keeping the bytes of files: small ones together in packs, large ones in pieces cut by their content."""

import hashlib
import os
import stat as modes
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from trimtab.atoms.error import UsageError
from trimtab.engine.side_by_side import side_by_side
from trimtab.loop.ingest.known import Known
from trimtab.ports.blobs import Blobs
from trimtab.ports.stat_index import FileStat
from trimtab.rows.file_list import File, Piece, digest_of
from trimtab.rows.folder import sort_of, stat_of, stays_inside
from trimtab.rows.stretch import CUT_BYTES, Cuts, changed_stretches, quick, stretches

#: From this size on a file is a blob of its own; smaller ones share packs.
OWN_BYTES = 1 << 20
#: Files above this size are read by several threads at once.
SHARED_BYTES = 32 << 20
#: A pack is closed when it has reached this size.
PACK_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is to be read."""

    path: bytes
    stat: FileStat


@dataclass(slots=True)
class Kept:
    """What came of reading some files."""

    files: list[File] = field(default_factory=list)
    read_bytes: int = 0
    #: Bytes that were stored and had not been known.
    stored_bytes: int = 0


class Keeper:
    """Reads files below one folder and keeps what is not stored yet."""

    def __init__(
        self, blobs: Blobs, folder: str, known: Known, cuts: Cuts, before: Mapping[bytes, File]
    ) -> None:
        """Keep in `blobs` what is not `known`; of large files look for the pieces that they had `before`."""
        self._before = before
        self._blobs = blobs
        self._cuts = cuts
        self._root = os.fsencode(folder)
        self._known = known

    def keep(self, wanted: Iterable[Wanted]) -> Iterator[Kept]:
        """Read files and keep them, several at once; what came of each part of the work, in no order of paths.

        Raises:
            UsageError: A file cannot be read or does not hold still; the message names it.
        """
        small: list[Wanted] = []
        own: list[Wanted] = []
        shared: list[Wanted] = []
        for each in wanted:
            size = each.stat.size_bytes
            (small if size < OWN_BYTES else own if size <= SHARED_BYTES else shared).append(each)
        yield from side_by_side(self._keep_pack, _packs(small), threads=self._blobs.threads)
        yield from side_by_side(self._keep_own, own, threads=self._blobs.threads)
        for each in shared:
            yield from self._keep_shared(each)

    def _keep_pack(self, group: list[Wanted]) -> Kept:
        """Read small files; those with new contents become one blob."""
        rows: list[tuple[Wanted, bytes, int, Piece | int | None]] = []
        fresh: dict[bytes, int] = {}
        contents: list[bytes] = []
        end = 0
        for each in group:
            content = self._read_small(each)
            digest = hashlib.sha256(content).digest()
            place: Piece | int | None = self._known.get(digest)
            if place is None and content:
                place = fresh.get(digest)
                if place is None:
                    place = fresh[digest] = end
                    contents.append(content)
                    end += len(content)
            rows.append((each, digest, len(content), place))
        pack = bytes.fromhex(self._blobs.put(b"".join(contents))) if contents else b""
        kept = Kept(read_bytes=sum(size for _, _, size, _ in rows), stored_bytes=end)
        for each, digest, size, place in rows:
            piece = Piece(digest, size, pack, place) if isinstance(place, int) else place
            pieces = () if piece is None or not size else (piece,)
            kept.files.append(File(each.path, sort_of(each.stat), size, digest, pieces))
        return kept

    def _read_small(self, wanted: Wanted) -> bytes:
        if modes.S_ISDIR(wanted.stat.mode):
            return b""
        if modes.S_ISLNK(wanted.stat.mode):
            return self._read_link(wanted)
        with self._opened(wanted) as descriptor:
            content = os.read(descriptor, wanted.stat.size_bytes + 1)
            while 0 < len(content) < wanted.stat.size_bytes:
                more = os.read(descriptor, wanted.stat.size_bytes + 1 - len(content))
                if not more:
                    break
                content += more
            return content

    def _read_link(self, wanted: Wanted) -> bytes:
        place = self._place(wanted)
        target = os.readlink(place)
        if not stays_inside(wanted.path, target):
            raise UsageError(
                f"{os.fsdecode(place)} is a link out of the folder, to {os.fsdecode(target)}: "
                "put the file itself in its place, or take the link away"
            )
        return target

    def _keep_own(self, wanted: Wanted) -> Kept:
        """Keep one file in this thread."""
        with self._opened(wanted) as descriptor:
            parts = self._stretches(descriptor, wanted)
            return _finished(wanted, [self._keep_piece(descriptor, each) for each in parts])

    def _keep_shared(self, wanted: Wanted) -> Iterator[Kept]:
        """Keep one large file in several threads; the last part holds its row."""
        done: list[tuple[Piece, int]] = []
        with self._opened(wanted) as descriptor:
            parts = self._stretches(descriptor, wanted)
            for piece, stored in side_by_side(
                lambda each: self._keep_piece(descriptor, each), parts, threads=self._blobs.threads
            ):
                done.append((piece, stored))
                yield Kept([], piece.size_bytes, stored)
        yield Kept(_finished(wanted, done).files)

    def _stretches(self, descriptor: int, wanted: Wanted) -> Iterator[Piece | tuple[int, int]]:
        before = self._before.get(wanted.path)
        size = wanted.stat.size_bytes
        if before is None or len(before.pieces) < 2 or size <= CUT_BYTES:
            return stretches(descriptor, size, self._cuts)
        return changed_stretches(descriptor, size, self._cuts, before.pieces)

    def _keep_piece(self, descriptor: int, stretch: Piece | tuple[int, int]) -> tuple[Piece, int]:
        """A piece that is a blob of its own, and how many bytes were stored for it."""
        if isinstance(stretch, Piece):
            return stretch, 0
        start, size_bytes = stretch
        content = os.pread(descriptor, size_bytes, start)
        fast = quick(content)
        if self._known:
            known = self._known.get(hashlib.sha256(content).digest())
            if known is not None:
                return Piece(known.digest, known.size_bytes, known.pack, known.start, fast), 0
        key = bytes.fromhex(self._blobs.put(content))
        return Piece(key, len(content), key, 0, fast), len(content)

    @contextmanager
    def _opened(self, wanted: Wanted) -> Iterator[int]:
        """The file, open for reading; it must be the same before and after."""
        place = self._place(wanted)
        try:
            descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise UsageError(f"{os.fsdecode(place)} cannot be read: {error.strerror}") from error
        try:
            yield descriptor
            if stat_of(os.fstat(descriptor)) != wanted.stat:
                raise UsageError(
                    f"{os.fsdecode(place)} was changed while it was read: run it again when nobody writes there"
                )
        finally:
            os.close(descriptor)

    def _place(self, wanted: Wanted) -> bytes:
        return self._root + b"/" + wanted.path


def _packs(wanted: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    group: list[Wanted] = []
    size_bytes = 0
    for each in wanted:
        group.append(each)
        size_bytes += each.stat.size_bytes
        if size_bytes >= PACK_BYTES:
            yield group
            group, size_bytes = [], 0
    if group:
        yield group


def _finished(wanted: Wanted, pieces: list[tuple[Piece, int]]) -> Kept:
    parts = tuple(piece for piece, _ in pieces)
    size = sum(piece.size_bytes for piece in parts)
    file = File(wanted.path, sort_of(wanted.stat), size, digest_of([piece.digest for piece in parts]), parts)
    return Kept([file], size, sum(stored for _, stored in pieces))
