"""A folder's files become a snapshot: nothing stored twice, nothing read that nobody touched, nothing half seen."""

import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from trimtab.adapters.late_cut import late_cuts
from trimtab.atoms.check import Verdict
from trimtab.atoms.content.content import Part
from trimtab.atoms.content.snapshot import Snapshot
from trimtab.atoms.error import UsageError
from trimtab.engine.step import Done
from trimtab.loop.ingest import CARD
from trimtab.loop.ingest.folder import WHOLE, ingest_folder, look, only_touched, to_remember
from trimtab.ports.stat_index import NOTHING, Remembered
from trimtab.rows.file_list import File, read_list
from trimtab.testing.memory_blobs import MemoryBlobs
from trimtab.testing.workbench import Workbench

#: Long after every file of a test was written.
LATER_NS = time.time_ns() + 3600 * 10**9


class Pictures:
    """A folder that is ingested again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bench = folder, Workbench()
        self.newest: str | None = None
        self.known: Remembered = NOTHING
        self.lists_elsewhere: list[Part] = []
        self.done: Done | None = None
        folder.mkdir(exist_ok=True)

    def write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def ingest(self, read_ns: int = LATER_NS) -> Snapshot:
        seen = look(str(self.folder), self.known, read_ns)

        def elsewhere() -> Iterable[Part]:
            return self.lists_elsewhere

        def step(work: object) -> None:
            files, whole = ingest_folder(
                work, "pictures", "", seen, self.newest, elsewhere, late_cuts, lambda done, total: None
            )
            self.known = to_remember(seen, files, whole)

        self.done = self.bench.run(CARD, "ingest", step, [self.newest] if self.newest else [])
        self.newest = self.done.first("snapshot").id
        return self.bench.store.read(self.newest, Snapshot)

    def files(self, snapshot: Snapshot) -> dict[str, File]:
        assert snapshot.folder is not None
        parts = [read_list(self.bench.store.part(part)) for part in snapshot.folder.lists]
        return {os.fsdecode(file.path): file for part in parts for file in part}

    def content(self, file: File) -> bytes:
        blobs = self.bench.store.blobs
        return b"".join(
            blobs.get_piece(piece.pack.hex(), piece.start, piece.size_bytes, piece.digest.hex())
            for piece in file.pieces
        )

    @property
    def stored_bytes(self) -> int:
        blobs = self.bench.store.blobs
        assert isinstance(blobs, MemoryBlobs)
        return sum(blob.size_bytes for blob in blobs.stored())


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    return Pictures(tmp_path / "pictures")


def test_every_content_comes_back(pictures: Pictures) -> None:
    contents = {
        "a.png": b"one",
        "b/c.png": b"two" * 1000,
        "b/same.png": b"one",
        "empty": b"",
        "own": os.urandom((1 << 20) + 5),
        "large": os.urandom(9 << 20),
    }
    for name, content in contents.items():
        pictures.write(name, content)
    (pictures.folder / "link").symlink_to("b/c.png")
    (pictures.folder / "hollow").mkdir()
    snapshot = pictures.ingest()
    files = pictures.files(snapshot)
    for name, content in contents.items():
        assert pictures.content(files[name]) == content, name
        assert files[name].size_bytes == len(content)
        if len(files[name].pieces) <= 1:
            assert files[name].digest == hashlib.sha256(content).digest()
    assert pictures.content(files["link"]) == b"b/c.png"
    assert len(files["large"].pieces) > 1
    assert files["a.png"].pieces == files["b/same.png"].pieces
    assert snapshot.folder is not None
    assert (snapshot.folder.files, len(files)) == (7, 8)
    packs = {part.blob: part.size_bytes for part in snapshot.folder.packs}
    assert packs.keys() == {piece.pack.hex() for file in files.values() for piece in file.pieces}
    assert all(len(pictures.bench.store.blobs.get(key)) == size for key, size in packs.items())
    assert pictures.done is not None
    assert [(check.name, check.verdict) for check in pictures.done.checks] == [
        ("ingest.freshness", Verdict.PASS)
    ]


def test_what_is_stored_is_not_stored_again(pictures: Pictures) -> None:
    for number in range(200):
        pictures.write(f"{number}.png", os.urandom(5000))
    large = os.urandom(12 << 20)
    pictures.write("large", large)
    pictures.ingest()
    before = pictures.stored_bytes
    (pictures.folder / "7.png").rename(pictures.folder / "moved.png")
    pictures.write("8.png", b"fresh" * 1000)
    pictures.write("large", b"inserted" + large)
    snapshot = pictures.ingest()
    assert pictures.content(pictures.files(snapshot)["large"]) == b"inserted" + large
    # One piece of the large file, the fresh picture, the list and the snapshot.
    assert pictures.stored_bytes - before < (8 << 20) + 5000 + 40_000
    assert pictures.done is not None
    assert pictures.done.note.startswith("1 added, 2 changed, 1 removed; ")


def test_what_nobody_touched_is_not_read(pictures: Pictures) -> None:
    """The files are gone when the folder is ingested after a look: only one that was touched is missed."""
    for number in range(5):
        pictures.write(f"{number}.png", b"%d" % number)
    first = pictures.ingest()
    seen = look(str(pictures.folder), pictures.known, LATER_NS)
    assert seen.untouched
    assert seen.known.whole == first.files[WHOLE]
    pictures.write("3.png", b"touched")
    seen = look(str(pictures.folder), pictures.known, LATER_NS)
    assert not seen.untouched
    for path in pictures.folder.iterdir():
        path.unlink()
    with pytest.raises(UsageError, match=r"3\.png cannot be read"):
        pictures.bench.run(
            CARD,
            "ingest",
            lambda work: ingest_folder(
                work, "pictures", "", seen, pictures.newest, list, late_cuts, lambda done, total: None
            ),
            [pictures.newest or ""],
        )


def test_a_file_that_changes_within_a_tick_of_being_read_is_read_again(pictures: Pictures) -> None:
    """Its times would not tell the change, so they are not remembered."""
    pictures.write("a.png", b"one")
    stat = (pictures.folder / "a.png").stat()
    pictures.ingest(read_ns=stat.st_ctime_ns)
    assert pictures.known.stats == {}
    assert pictures.known.whole == ""
    pictures.ingest(read_ns=stat.st_ctime_ns + 10 * 10**9)
    assert list(pictures.known.stats) == [b"a.png"]


def test_times_that_are_set_back_hide_nothing(pictures: Pictures) -> None:
    pictures.write("a.png", b"one")
    first = pictures.ingest()
    stat = (pictures.folder / "a.png").stat()
    pictures.write("a.png", b"two")
    os.utime(pictures.folder / "a.png", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert pictures.ingest().files[WHOLE] != first.files[WHOLE]


def test_files_that_were_only_touched_are_as_before(pictures: Pictures) -> None:
    for number in range(5):
        pictures.write(f"{number}.png", b"%d" % number)
    (pictures.folder / "link").symlink_to("1.png")
    files = list(pictures.files(pictures.ingest()).values())
    os.utime(pictures.folder / "1.png")
    (pictures.folder / "link").unlink()
    (pictures.folder / "link").symlink_to("1.png")

    def as_before() -> bool:
        return only_touched(look(str(pictures.folder), pictures.known, LATER_NS), files, late_cuts)

    assert as_before()
    (pictures.folder / "1.png").chmod(0o755)
    assert not as_before()
    (pictures.folder / "1.png").chmod(0o644)
    assert as_before()
    pictures.write("2.png", b"x")
    assert not as_before()
    pictures.write("2.png", b"2")
    assert as_before()
    pictures.write("more.png", b"2")
    assert not as_before()


def test_pieces_of_other_snapshots_are_shared_while_they_are_there(tmp_path: Path) -> None:
    one, other = Pictures(tmp_path / "one"), Pictures(tmp_path / "other")
    other.bench = one.bench
    content = os.urandom(300_000)
    one.write("a.png", content)
    folder = one.ingest().folder
    assert folder is not None
    other.lists_elsewhere = list(folder.lists)
    before = one.stored_bytes
    other.write("b.png", content)
    shared = other.files(other.ingest())["b.png"]
    assert one.stored_bytes - before < 5000
    assert other.content(shared) == content
    # A gc took the pack away: the content is stored again.
    assert one.bench.store.blobs.discard(shared.pieces[0].pack.hex(), 0)
    third = Pictures(tmp_path / "third")
    third.bench, third.lists_elsewhere = one.bench, list(folder.lists)
    third.write("c.png", content)
    assert third.content(third.files(third.ingest())["c.png"]) == content


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside"])
def test_a_link_out_of_the_folder_is_named(pictures: Pictures, target: str) -> None:
    (pictures.folder / "link").symlink_to(target)
    with pytest.raises(UsageError, match="link is a link out of the folder"):
        pictures.ingest()


def test_a_file_that_changes_while_it_is_read_is_named(pictures: Pictures) -> None:
    pictures.write("a.png", b"one")
    seen = look(str(pictures.folder), NOTHING, LATER_NS)
    pictures.write("a.png", b"longer")
    with pytest.raises(UsageError, match=r"a\.png was changed while it was read"):
        pictures.bench.run(
            CARD,
            "ingest",
            lambda work: ingest_folder(
                work, "pictures", "", seen, None, list, late_cuts, lambda done, total: None
            ),
        )


def test_a_file_that_became_a_link_is_not_followed(pictures: Pictures, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"one")
    pictures.write("a.png", b"one")
    seen = look(str(pictures.folder), NOTHING, LATER_NS)
    (pictures.folder / "a.png").unlink()
    (pictures.folder / "a.png").symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError, match=r"a\.png cannot be read"):
        pictures.bench.run(
            CARD,
            "ingest",
            lambda work: ingest_folder(
                work, "pictures", "", seen, None, list, late_cuts, lambda done, total: None
            ),
        )
