"""A folder's files become a snapshot: what was stored before is pointed to, what nobody touched is not read."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from trimtab.atoms.check import Limit, Reading, Verdict
from trimtab.atoms.content.content import Part
from trimtab.atoms.content.snapshot import Folder, Snapshot
from trimtab.atoms.error import StoreError
from trimtab.engine.work import Work
from trimtab.loop.ingest.keeping import Keeper, Wanted
from trimtab.loop.ingest.known import Elsewhere, Known
from trimtab.ports.stat_index import FileStat, Remembered, has_rested
from trimtab.rows.file_list import File, Sort, cut_lists, read_list, whole_digest, write_list
from trimtab.rows.folder import scan, sort_of
from trimtab.rows.stretch import Cuts, digest_file

#: Name under which a folder's digest stands among the files of its snapshot.
WHOLE = "."
LIST_TYPE = "application/vnd.trimtab.file-list"

#: Told of bytes read and bytes in all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Look:
    """A folder as its file system shows it, beside what was known of it."""

    #: Absolute.
    place: str
    stats: dict[bytes, FileStat]
    known: Remembered
    #: When the folder was read, nanoseconds since 1970.
    read_ns: int

    @property
    def untouched(self) -> bool:
        """Whether every file is as it was remembered, and none is more or less."""
        return bool(self.known.whole) and self.stats == self.known.stats


def look(place: str, known: Remembered, read_ns: int, *, without: Sequence[str] = ()) -> Look:
    """Read names, sizes and times below `place`."""
    return Look(place, scan(place, without=without), known, read_ns)


def only_touched(seen: Look, before: Sequence[File], cuts: Cuts) -> bool:
    """Whether the files are those of `before` although some look changed: those are read, up to the first change."""
    if len(before) != len(seen.stats):
        return False
    doubtful = []
    for file in before:
        stat = seen.stats.get(file.path)
        if stat is None or sort_of(stat) != file.sort:
            return False
        if file.sort == Sort.EMPTY_FOLDER or _remembered(seen, file.path, stat) == file.digest:
            continue
        if stat.size_bytes != file.size_bytes:
            return False
        doubtful.append((file, stat))
    return all(_same(seen.place, file, stat, cuts) for file, stat in doubtful)


def ingest_folder(
    work: Work,
    source: str,
    lay: str,
    seen: Look,
    previous: str | None,
    elsewhere: Elsewhere,
    cuts: Cuts,
    progress: Progress,
) -> tuple[list[File], str]:
    """Make the snapshot of all files that were seen; returns them, and the digest of the whole.

    Args:
        lay: Where the folder lies, from the project's folder.
        previous: Artifact id of the source's newest snapshot.

    Raises:
        UsageError: A file cannot be read, changes meanwhile, or is a link out of the folder; the message names it.
    """
    old = work.read(previous, Snapshot).folder if previous is not None else None
    before = {file.path: file for part in (old.lists if old else ()) for file in read_list(work.part(part))}
    known = Known(work.store.blobs, before.values(), elsewhere)
    kept: dict[bytes, File] = {}
    wanted = []
    for path, stat in seen.stats.items():
        was = before.get(path)
        if was is not None and was.sort == sort_of(stat) and _remembered(seen, path, stat) == was.digest:
            kept[path] = was
        else:
            wanted.append(Wanted(path, stat))
    stored = _keep_wanted(work, seen.place, wanted, known, cuts, progress, before, kept)
    files = [kept[path] for path in seen.stats]
    whole = whole_digest(files)
    snapshot = work.keep(
        Snapshot(
            source=source,
            columns=(),
            spans=(),
            files={WHOLE: whole},
            folder=_folder(work, lay, files, old),
        )
    )
    changes = _Changes.between(before, kept)
    _judge_freshness(work, snapshot.id, previous, changes)
    work.note = f"{changes}; {len(files):,} files, {_size(files):,} bytes, {stored:,} stored now"
    return files, whole


def to_remember(seen: Look, files: Sequence[File], whole: str) -> Remembered:
    """What spares the next look the reading: of the files that had rested when they were read."""
    rested = {path: stat for path, stat in seen.stats.items() if has_rested(stat, seen.read_ns)}
    digests = {file.path: file.digest for file in files if file.path in rested}
    return Remembered(stats=rested, digests=digests, whole=whole if len(rested) == len(seen.stats) else "")


def _remembered(seen: Look, path: bytes, stat: FileStat) -> bytes | None:
    """The digest of a file that nobody touched since it was read."""
    return seen.known.digests[path] if seen.known.stats.get(path) == stat else None


def _same(place: str, file: File, stat: FileStat, cuts: Cuts) -> bool:
    path = os.path.join(place, os.fsdecode(file.path))
    if file.sort == Sort.LINK:
        return hashlib.sha256(os.fsencode(os.readlink(path))).digest() == file.digest
    return digest_file(path, stat, cuts) == file.digest


def _keep_wanted(
    work: Work,
    place: str,
    wanted: Sequence[Wanted],
    known: Known,
    cuts: Cuts,
    progress: Progress,
    before: Mapping[bytes, File],
    kept: dict[bytes, File],
) -> int:
    """Read and keep files into `kept`; returns how many bytes had to be stored."""
    total = sum(each.stat.size_bytes for each in wanted)
    read = stored = 0
    for part in Keeper(work.store.blobs, place, known, cuts, before).keep(wanted):
        kept.update((file.path, file) for file in part.files)
        read += part.read_bytes
        stored += part.stored_bytes
        progress(read, total)
    return stored


def _folder(work: Work, lay: str, files: Sequence[File], old: Folder | None) -> Folder:
    sizes = {part.blob: part.size_bytes for part in old.packs} if old else {}
    own = {
        piece.pack.hex(): piece.size_bytes
        for file in files
        for piece in file.pieces
        if piece.pack == piece.digest
    }
    keys = sorted({piece.pack for file in files for piece in file.pieces})
    return Folder(
        place=lay,
        files=sum(file.sort != Sort.EMPTY_FOLDER for file in files),
        size_bytes=_size(files),
        lists=tuple(work.keep_bytes(write_list(some), LIST_TYPE) for some in cut_lists(files)),
        packs=tuple(_pack(work, key.hex(), own | sizes) for key in keys),
    )


def _pack(work: Work, key: str, sizes: dict[str, int]) -> Part:
    if key not in sizes:
        found = work.store.blobs.find(key)
        if found is None:
            raise StoreError(f"blob {key} was stored and is gone: run `trimtab fsck`, then ingest again")
        sizes[key] = found.size_bytes
    return Part(blob=key, size_bytes=sizes[key])


def _size(files: Sequence[File]) -> int:
    return sum(file.size_bytes for file in files)


@dataclass(frozen=True, slots=True)
class _Changes:
    added: int
    removed: int
    changed: int

    @classmethod
    def between(cls, before: Mapping[bytes, File], now: Mapping[bytes, File]) -> "_Changes":
        both = before.keys() & now.keys()
        changed = sum(
            before[path].digest != now[path].digest or before[path].sort != now[path].sort for path in both
        )
        return cls(len(now) - len(both), len(before) - len(both), changed)

    def __str__(self) -> str:
        return f"{self.added:,} added, {self.changed:,} changed, {self.removed:,} removed"


def _judge_freshness(work: Work, snapshot: str, previous: str | None, changes: _Changes) -> None:
    fresh = changes.added + changes.changed
    work.judge(
        "ingest.freshness",
        work.rules("ingest", {}),
        snapshot,
        baseline=previous,
        reading=Reading(value=float(fresh), unit="files", n=fresh),
        limit=Limit(at_least=1.0),
        verdict=Verdict.PASS if fresh else Verdict.UNSURE,
        says=f"{fresh:,} new or changed files came" if fresh else "no new or changed file came",
    )
