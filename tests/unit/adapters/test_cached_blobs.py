"""Copies of blobs on this machine: used, noticed when damaged, and never more than they may be."""

import os
import stat
from pathlib import Path
from urllib.parse import quote

import pytest

from trimtab.adapters.cached_blobs import CachedBlobs
from trimtab.adapters.process_holder import this_process
from trimtab.atoms.digest import digest_bytes
from trimtab.testing.memory_blobs import MemoryBlobs, flip_bit


class Counted(MemoryBlobs):
    """Counts what is read from it."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def get(self, key: str) -> bytes:
        self.reads += 1
        return super().get(key)

    def get_piece(self, key: str, start: int, size_bytes: int, digest: str) -> bytes:
        self.reads += 1
        return super().get_piece(key, start, size_bytes, digest)


@pytest.fixture
def outer() -> Counted:
    return Counted()


def test_what_was_read_or_put_is_not_fetched_again(outer: Counted, tmp_path: Path) -> None:
    key = outer.put(b"abc")
    blobs = CachedBlobs(outer, tmp_path)
    assert [blobs.get(key), blobs.get(key), CachedBlobs(outer, tmp_path).get(key)] == [b"abc"] * 3
    assert outer.reads == 1
    assert blobs.get_piece(key, 1, 2, digest_bytes(b"bc")) == b"bc"
    assert blobs.get(blobs.put(b"def")) == b"def"
    assert outer.reads == 1
    assert stat.S_IMODE((tmp_path / key[:2]).stat().st_mode) == 0o700


@pytest.mark.parametrize("harm", [b"abd", b"ab", b""])
def test_a_damaged_copy_is_fetched_anew(outer: Counted, tmp_path: Path, harm: bytes) -> None:
    blobs = CachedBlobs(outer, tmp_path)
    key = blobs.put(b"abc")
    copy = tmp_path / key[:2] / key
    copy.write_bytes(harm)
    assert blobs.get_piece(key, 0, 3, key) == b"abc"
    assert blobs.get(key) == b"abc"
    assert outer.reads == 2
    assert copy.read_bytes() == b"abc"


def test_a_sound_copy_outlives_damage_far_away(outer: Counted, tmp_path: Path) -> None:
    blobs = CachedBlobs(outer, tmp_path)
    key = blobs.put(b"abc")
    flip_bit(outer, key)
    assert blobs.get(key) == b"abc"


def test_the_copies_used_longest_ago_go_first(outer: Counted, tmp_path: Path) -> None:
    blobs = CachedBlobs(outer, tmp_path, limit_bytes=10_000)
    keys = [blobs.put(bytes([number]) * 1000) for number in range(10)]
    for number, key in enumerate(keys):
        os.utime(tmp_path / key[:2] / key, (number, number))
    assert blobs.get(keys[0]) == bytes(1000)
    for number in range(10, 13):
        blobs.put(bytes([number]) * 1000)
    copies = {path.name for path in tmp_path.glob("??/*")}
    assert sum(path.stat().st_size for path in tmp_path.glob("??/*")) <= 11_000
    assert keys[0] in copies
    assert keys[1] not in copies
    assert blobs.get(keys[1]) == b"\1" * 1000


def test_what_is_larger_than_all_room_gets_no_copy(outer: Counted, tmp_path: Path) -> None:
    blobs = CachedBlobs(outer, tmp_path, limit_bytes=10)
    key = blobs.put(b"abc" * 10)
    assert blobs.get(key) == b"abc" * 10
    assert list(tmp_path.glob("??/*")) == []


def test_no_room_for_a_copy_takes_nothing_from_the_answer(outer: Counted, tmp_path: Path) -> None:
    blobs = CachedBlobs(outer, tmp_path)
    key = outer.put(b"abc")
    (tmp_path / key[:2]).rmdir()
    assert blobs.get(key) == b"abc"
    assert [path for path in tmp_path.iterdir() if path.name.endswith(".new")] == []


def test_a_sweep_takes_what_the_dead_left(outer: Counted, tmp_path: Path) -> None:
    host, pid, start = this_process().split(":")
    blobs = CachedBlobs(outer, tmp_path)
    dead = tmp_path / f"{quote(f'{host}:{pid}:{start}9', safe='')}+0.new"
    alive = tmp_path / f"{quote(this_process(), safe='')}+999.new"
    dead.touch()
    alive.touch()
    assert blobs.sweep() == 1
    assert (dead.exists(), alive.exists()) == (False, True)
