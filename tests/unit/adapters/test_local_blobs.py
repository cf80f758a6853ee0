"""What blobs on files add to the port: modes, left-overs, and what they do not take for a blob."""

import stat
from pathlib import Path
from urllib.parse import quote

import pytest

from trimtab.adapters import durable_file, local_blobs
from trimtab.adapters.durable_file import FlushFailed
from trimtab.adapters.local_blobs import LocalBlobs
from trimtab.adapters.process_holder import this_process
from trimtab.atoms.error import Damaged, StoreError


def test_folders_are_private_and_blobs_lie_under_their_first_digits(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    key = blobs.put(b"abc")
    path = tmp_path / "blobs" / key[:2] / key
    assert path.read_bytes() == b"abc"
    for folder in (tmp_path / "blobs", path.parent, tmp_path / "blobs" / "incoming"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert blobs.temporaries == []


def test_a_sweep_takes_what_the_dead_left_and_nothing_else(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    host, pid, start = this_process().split(":")
    dead = tmp_path / "incoming" / f"{quote(f'{host}:{pid}:{start}9', safe='')}+0"
    alive = tmp_path / "incoming" / f"{quote(this_process(), safe='')}+999"
    stranger = tmp_path / "incoming" / "notes.txt"
    for path in (dead, alive, stranger):
        path.write_bytes(b"half a blo")
    assert blobs.sweep() == 1
    assert blobs.temporaries == sorted([alive, stranger])


def test_a_put_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = LocalBlobs(tmp_path)

    def full(path: Path, content: bytes) -> None:
        path.write_bytes(content[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(local_blobs, "write_new", full)
    with pytest.raises(StoreError, match="No space"):
        blobs.put(b"abc")
    assert blobs.temporaries == []
    assert list(blobs.stored()) == []


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("bit", [0, 7])
def test_each_flipped_bit_is_noticed(tmp_path: Path, place: int, bit: int) -> None:
    blobs = LocalBlobs(tmp_path)
    key = blobs.put(b"abc")
    content = bytearray(b"abc")
    content[place] ^= 1 << bit
    (tmp_path / key[:2] / key).write_bytes(content)
    with pytest.raises(Damaged, match=key):
        blobs.get(key)


def test_after_a_failed_flush_nothing_is_kept_and_all_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = LocalBlobs(tmp_path)
    key = blobs.put(b"abc")
    fired = []

    def broken(folder: Path) -> None:
        fired.append(folder)
        raise FlushFailed(5, "Input/output error")

    with monkeypatch.context() as broken_disk:
        broken_disk.setattr(local_blobs, "flush_folder", broken)
        with pytest.raises(StoreError, match="did not take a write"):
            blobs.put(b"def")
    for content in (b"def", b"abc", b"ghi"):
        with pytest.raises(StoreError, match="keeps nothing more"):
            blobs.put(content)
    assert len(fired) == 1, "a failed flush was tried again"
    assert blobs.get(key) == b"abc"


def test_a_draft_that_the_disk_refuses_says_so_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = LocalBlobs(tmp_path)
    draft = blobs.flow.begin()

    def full(descriptor: int, content: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full_disk:
        full_disk.setattr(durable_file, "write_whole", full)
        with pytest.raises(StoreError, match="No space"):
            draft.write(b"x" * 3_000_000)
    draft.drop()
    assert blobs.temporaries == []
    assert list(blobs.stored()) == []
    assert blobs.get(blobs.put(b"abc")) == b"abc"


def test_a_draft_whose_flush_failed_is_never_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = LocalBlobs(tmp_path)
    draft = blobs.flow.begin()
    draft.write(b"x" * 100)

    def broken(descriptor: int) -> None:
        raise FlushFailed(5, "Input/output error")

    with monkeypatch.context() as broken_disk:
        broken_disk.setattr(durable_file, "flush", broken)
        with pytest.raises(StoreError, match="did not take a write"):
            draft.finish()
    draft.drop()
    assert list(blobs.stored()) == []
    with pytest.raises(StoreError, match="keeps nothing more"):
        blobs.flow.begin()


@pytest.mark.parametrize("size_bytes", [0, 1, 4096, (1 << 20) - 1, 1 << 20, (4 << 20) + 4097])
def test_a_file_past_the_page_cache_has_the_bytes_and_the_size_of_what_was_written(
    tmp_path: Path, size_bytes: int
) -> None:
    content = bytes(range(251)) * (size_bytes // 251 + 1)
    file = durable_file.NewFile(tmp_path / "new", direct=True)
    for start in range(0, size_bytes, 65_537):
        file.write(content[start : min(start + 65_537, size_bytes)])
    file.flush()
    file.close()
    file.close()
    assert (tmp_path / "new").read_bytes() == content[:size_bytes]
