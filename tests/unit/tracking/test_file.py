"""Files come in piece by piece, are found by their path, and come out as they were."""

import random
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest

from trimtab.adapters import durable_file
from trimtab.adapters.local_store import open_store
from trimtab.atoms.actor import Actor
from trimtab.atoms.error import Conflict, NotThere, StoreError, UsageError
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.tracking.file import PIECE_BYTES
from trimtab.tracking.tracking import Tracking, open_tracking


@pytest.fixture
def run(tracking: Tracking, ada: Actor) -> str:
    return tracking.runs.open(by=ada).head.id


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES + 77])
def test_it_comes_out_as_it_went_in(tracking: Tracking, run: str, size: int) -> None:
    content = random.Random(size).randbytes(size)
    chunks = [content[start : start + 1_000_003] for start in range(0, size, 1_000_003)]
    file = tracking.files.put(run, "model/weights.bin", chunks)
    assert (file.path, file.size_bytes) == ("model/weights.bin", size)
    assert len(file.blobs) == max(1, -(-size // PIECE_BYTES))
    assert file == tracking.files.find(run, "model/weights.bin")
    assert b"".join(tracking.files.read(file)) == content


def test_nothing_is_seen_before_the_end_and_the_last_end_wins(tracking: Tracking, run: str) -> None:
    first, second = tracking.files.begin(run, "a"), tracking.files.begin(run, "a")
    second.write(b"second")
    first.write(b"first")
    assert tracking.files.under(run) == []
    second.finish()
    first.finish()
    assert b"".join(tracking.files.read(tracking.files.find(run, "a"))) == b"first"
    with pytest.raises(UsageError, match="finished already"):
        first.write(b"more")


def test_an_upload_that_the_disk_refuses_leaves_nothing_and_is_never_finished(
    tmp_path: Path, ada: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_store(tmp_path / "store")) as store:
        tracking = open_tracking(store, MemoryRunIndex())
        run = tracking.runs.open(by=ada).head.id

        def full(descriptor: int, content: object) -> None:
            raise OSError(28, "No space left on device")

        upload = tracking.files.begin(run, "a")
        with monkeypatch.context() as full_disk:
            full_disk.setattr(durable_file, "write_whole", full)
            with pytest.raises(StoreError, match="No space"):
                upload.write(bytes(3_000_000))
        assert list((tmp_path / "store/blobs/incoming").iterdir()) == []
        for refused in (upload.finish, lambda: upload.write(b"more")):
            with pytest.raises(UsageError, match="given up"):
                refused()
        assert tracking.files.under(run) == []


def test_a_folder_is_all_below_it(tracking: Tracking, run: str) -> None:
    for path in ("a/b/c", "a/b2", "a/b/d", "ab", "z"):
        tracking.files.put(run, path, [path.encode()])
    assert [file.path for file in tracking.files.under(run)] == ["a/b/c", "a/b/d", "a/b2", "ab", "z"]
    assert [file.path for file in tracking.files.under(run, "a")] == ["a/b/c", "a/b/d", "a/b2"]
    tracking.files.remove(run, "a/b")
    assert [file.path for file in tracking.files.under(run)] == ["a/b2", "ab", "z"]
    tracking.files.remove(run, "z")
    with pytest.raises(NotThere, match="'z'"):
        tracking.files.remove(run, "z")
    with pytest.raises(NotThere, match="'a/b/c'"):
        tracking.files.find(run, "a/b/c")
    tracking.files.put(run, "a/b/c", [b"again"])
    assert tracking.files.find(run, "a/b/c").size_bytes == 5


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/etc/passwd",
        "..",
        "a/../b",
        "a//b",
        "a/",
        "./a",
        "a\\b",
        "a\0b",
        "a\nb",
        "x" * 256,
        "y/" * 600 + "y",
    ],
)
def test_a_path_that_is_no_key_is_refused(tracking: Tracking, run: str, path: str) -> None:
    with pytest.raises(UsageError, match="path"):
        tracking.files.begin(run, path)
    with pytest.raises(UsageError, match="path"):
        tracking.files.remove(run, path)


def test_there_is_no_file_of_nobody(tracking: Tracking, ada: Actor, run: str) -> None:
    with pytest.raises(NotThere, match="'nobody'"):
        tracking.files.begin("nobody", "a")
    upload = tracking.files.begin(run, "a")
    tracking.runs.set_deleted(run, True, by=ada)
    with pytest.raises(Conflict, match="is deleted"):
        upload.finish()


def test_a_blob_that_is_gone_is_named(tracking: Tracking, run: str) -> None:
    file = tracking.files.put(run, "a", [b"content"])
    assert tracking.store.blobs.discard(file.blobs[0], 0.0)
    with pytest.raises(StoreError, match=f"'a': blob {file.blobs[0][:12]} is not in the store"):
        b"".join(tracking.files.read(file))


def test_no_whole_file_is_in_memory(tracking: Tracking, run: str) -> None:
    chunk = bytes(1 << 20)
    tracemalloc.start()
    file = tracking.files.put(run, "big", (chunk for _ in range(8 * PIECE_BYTES >> 20)))
    size = sum(len(piece) for piece in tracking.files.read(file))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == 8 * PIECE_BYTES
    assert peak < 4 * PIECE_BYTES
