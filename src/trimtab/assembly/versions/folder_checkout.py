"""A version of a folder brought back onto the disk, without harm to what a person did there."""

import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate

from trimtab.adapters.late_cut import late_cuts
from trimtab.adapters.workspace import Draft, Workspace
from trimtab.assembly.folder_steps import place_name
from trimtab.atoms.digest import SHORT
from trimtab.atoms.error import StoreError, UsageError
from trimtab.engine.side_by_side import side_by_side
from trimtab.loop.ingest.folder import Look, Progress, look, to_remember
from trimtab.loop.ingest.keeping import SHARED_BYTES
from trimtab.ports.blobs import Blobs
from trimtab.ports.stat_index import NOTHING, FileStat, StatIndex
from trimtab.rows.file_list import File, Piece, Sort, whole_digest
from trimtab.rows.folder import sort_of
from trimtab.rows.stretch import Cuts, digest_file

#: Share of a pack's bytes from which the pack is read as a whole.
_MOST_OF_IT = 0.5


@dataclass(frozen=True, slots=True)
class Stored:
    """What the versions of a source hold: what may be overwritten or taken away without loss."""

    paths: set[bytes]
    digests: set[bytes]


@dataclass(slots=True)
class CheckedOut:
    """What became of the folder."""

    written: int = 0
    written_bytes: int = 0
    #: Files that were as they should be.
    left: int = 0
    removed: int = 0
    #: Files that are in no version: they stay.
    foreign: list[bytes] = field(default_factory=list)


class FolderCheckout:
    """Brings `files` into a folder."""

    def __init__(
        self,
        blobs: Blobs,
        index: StatIndex,
        target: str,
        files: Sequence[File],
        sizes: Mapping[str, int],
        without: Iterable[str] = (),
        *,
        cuts: Cuts = late_cuts,
    ) -> None:
        """Use `target`, an absolute path.

        Args:
            sizes: Bytes of each pack, by key.
            cuts: What the digests of `files` go by.
            without: Absolute paths that are no part of the target although they lie in it: the store.
        """
        self._blobs = blobs
        self._index = index
        self._target = target
        self._files = files
        self._sizes = sizes
        self._without = list(without)
        self._cuts = cuts

    def run(self, stored: Callable[[], Stored], *, force: bool = False, progress: Progress) -> CheckedOut:
        """Write what is not there yet, take away what another version left, leave everything else alone.

        Args:
            stored: Gives what the versions hold; asked where something else is there than should be.
            force: Overwrite also what no version holds.

        Raises:
            UsageError: Files that would be overwritten are in no version; nothing was changed.
            StoreError: Bytes are missing or the disk cannot be written.
        """
        done = CheckedOut()
        seen = self._look()
        missing = [file for file in self._files if not self._is_there(seen, file)]
        done.left = len(self._files) - len(missing)
        leftover, in_the_way = self._sort_out(seen, missing, stored, done)
        if in_the_way and not force:
            raise _refused(in_the_way, self._target)
        written: dict[bytes, tuple[int, int, int]] = {}
        if missing or leftover:
            paths = {file.path for file in missing}
            with Workspace(self._target) as workspace:
                for path in (*leftover, *in_the_way):
                    if path not in paths or sort_of(seen.stats[path]) == Sort.EMPTY_FOLDER:
                        workspace.remove(path)
                        done.removed += path not in paths
                self._write(workspace, missing, done, progress)
            written = workspace.written
        self._remember(seen, written)
        return done

    def _look(self) -> Look:
        known = self._index.recall(place_name(self._target))
        if not os.path.isdir(self._target):
            return Look(self._target, {}, known, time.time_ns())
        return look(self._target, known, time.time_ns(), without=self._without)

    def _is_there(self, seen: Look, file: File) -> bool:
        stat = seen.stats.get(file.path)
        if stat is None or sort_of(stat) != file.sort:
            return False
        if file.sort == Sort.EMPTY_FOLDER:
            return True
        if file.sort != Sort.LINK and stat.size_bytes != file.size_bytes:
            return False
        return self._digest(seen, file.path, stat) == file.digest

    def _digest(self, seen: Look, path: bytes, stat: FileStat) -> bytes:
        """The digest of a file that is there; read only where it was touched."""
        if seen.known.stats.get(path) == stat:
            return seen.known.digests[path]
        place = os.path.join(self._target, os.fsdecode(path))
        if sort_of(stat) == Sort.LINK:
            return hashlib.sha256(os.fsencode(os.readlink(place))).digest()
        return digest_file(place, stat, self._cuts)

    def _sort_out(
        self, seen: Look, missing: Sequence[File], stored: Callable[[], Stored], done: CheckedOut
    ) -> tuple[list[bytes], list[bytes]]:
        """What is there and should not: what may go, because a version holds it, and what must not."""
        wanted = {file.path for file in self._files}
        gone = {file.path for file in missing}
        folders = {above for file in missing for above in _above(file.path)}
        others = [path for path in seen.stats if path not in wanted or path in gone]
        known = stored() if others else Stored(set(), set())
        ours = known.paths | seen.known.digests.keys()
        safe = known.digests | set(seen.known.digests.values()) | {file.digest for file in self._files}
        leftover: list[bytes] = []
        in_the_way: list[bytes] = []
        for path in others:
            stat = seen.stats[path]
            blocks = path in gone or path in folders or any(above in gone for above in _above(path))
            if not blocks and path not in ours:
                done.foreign.append(path)
            elif sort_of(stat) == Sort.EMPTY_FOLDER or self._digest(seen, path, stat) in safe:
                leftover.append(path)
            else:
                (in_the_way if blocks else done.foreign).append(path)
        return leftover, in_the_way

    def _write(
        self, workspace: Workspace, missing: Sequence[File], done: CheckedOut, progress: Progress
    ) -> None:
        total = sum(file.size_bytes for file in missing)
        jobs, large, last = self._plan(workspace, missing)
        for size, count in side_by_side(lambda job: job(), jobs, threads=self._blobs.threads):
            done.written_bytes += size
            done.written += count
            progress(done.written_bytes, total)
        for file in large:
            for size in self._write_large(workspace, file):
                done.written_bytes += size
                progress(done.written_bytes, total)
            done.written += 1
        for file in last:
            if file.sort == Sort.EMPTY_FOLDER:
                workspace.make_folder(file.path)
            else:
                workspace.link(file.path, self._piece(file.pieces[0]))
            done.written += 1

    def _plan(
        self, workspace: Workspace, missing: Sequence[File]
    ) -> tuple[Iterator[Callable[[], tuple[int, int]]], list[File], list[File]]:
        """Work for several threads, files that several threads share, and what comes last: links and folders."""
        by_pack: dict[bytes, list[File]] = defaultdict(list)
        alone: list[File] = []
        large: list[File] = []
        last: list[File] = []
        for file in missing:
            if file.sort in (Sort.LINK, Sort.EMPTY_FOLDER):
                last.append(file)
            elif len(file.pieces) == 1 and file.pieces[0].pack != file.digest:
                by_pack[file.pieces[0].pack].append(file)
            else:
                (large if file.size_bytes > SHARED_BYTES else alone).append(file)

        def jobs() -> Iterator[Callable[[], tuple[int, int]]]:
            for pack, files in by_pack.items():
                yield partial(self._write_pack, workspace, pack, files)
            for file in alone:
                yield partial(self._write_alone, workspace, file)

        return jobs(), large, last

    def _write_pack(self, workspace: Workspace, pack: bytes, files: Sequence[File]) -> tuple[int, int]:
        size = sum(file.size_bytes for file in files)
        if size >= _MOST_OF_IT * self._sizes.get(pack.hex(), 0):
            # The list that says where each file lies was itself hashed, and so is the pack: that is enough.
            content = memoryview(self._blob(pack.hex()))
            for file in files:
                start = file.pieces[0].start
                workspace.write(
                    file.path, file.sort == Sort.PROGRAM, content[start : start + file.size_bytes]
                )
        else:
            for file in files:
                workspace.write(file.path, file.sort == Sort.PROGRAM, self._piece(file.pieces[0]))
        return size, len(files)

    def _write_alone(self, workspace: Workspace, file: File) -> tuple[int, int]:
        workspace.write(file.path, file.sort == Sort.PROGRAM, b"".join(map(self._piece, file.pieces)))
        return file.size_bytes, 1

    def _write_large(self, workspace: Workspace, file: File) -> Iterator[int]:
        """Write a file of many pieces, in several threads."""
        draft = workspace.begin(file.path, file.sort == Sort.PROGRAM, file.size_bytes)
        try:
            ends = list(accumulate(piece.size_bytes for piece in file.pieces))
            places = zip([0, *ends], file.pieces, strict=False)
            yield from side_by_side(
                lambda each: self._write_piece(draft, *each), places, threads=self._blobs.threads
            )
            draft.settle()
        finally:
            draft.close()

    def _write_piece(self, draft: Draft, start: int, piece: Piece) -> int:
        draft.write(start, self._piece(piece))
        return piece.size_bytes

    def _piece(self, piece: Piece) -> bytes:
        if piece.pack == piece.digest:
            return self._blob(piece.pack.hex())
        try:
            return self._blobs.get_piece(piece.pack.hex(), piece.start, piece.size_bytes, piece.digest.hex())
        except KeyError as error:
            raise self._absent(piece.pack.hex()) from error

    def _blob(self, key: str) -> bytes:
        try:
            return self._blobs.get(key)
        except KeyError as error:
            raise self._absent(key) from error

    def _absent(self, key: str) -> StoreError:
        return StoreError(
            f"blob {key[:SHORT]} of this version is not in the store: it was forgotten by `trimtab gc`, or is "
            "missing (`trimtab fsck` tells)"
        )

    def _remember(self, before: Look, written: Mapping[bytes, tuple[int, int, int]]) -> None:
        """Note the files that are as they were found or written; one that somebody changed meanwhile is not."""
        now = self._look()
        sure = {}
        for file in self._files:
            stat = now.stats.get(file.path)
            if stat is not None and (
                stat == before.stats.get(file.path)
                or (stat.inode, stat.modified_ns, stat.size_bytes) == written.get(file.path)
            ):
                sure[file.path] = stat
        whole = whole_digest(self._files) if sure.keys() == now.stats.keys() else ""
        remembered = Look(now.place, sure, NOTHING, now.read_ns)
        self._index.remember(place_name(self._target), to_remember(remembered, self._files, whole))


def _above(path: bytes) -> Iterator[bytes]:
    """The folders that a path lies in."""
    end = path.rfind(b"/")
    while end > 0:
        yield path[:end]
        end = path.rfind(b"/", 0, end)


def _refused(in_the_way: Sequence[bytes], target: str) -> UsageError:
    named = ", ".join(os.fsdecode(path) for path in in_the_way[:5])
    more = f" and {len(in_the_way) - 5:,} more" if len(in_the_way) > 5 else ""
    return UsageError(
        f"{target}: {named}{more} would be overwritten and no version holds them: `trimtab ingest` keeps them, "
        "--force gives them up"
    )
