"""Looking for the pieces of the earlier version finds what cutting anew would find."""

import hashlib
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trimtab.rows.content_cut import cuts
from trimtab.rows.file_list import Piece
from trimtab.rows.stretch import changed_stretches, quick, stretches

SIZE = 40 << 20


def noise(size: int, seed: int = 3) -> bytes:
    return random.Random(seed).randbytes(size)


def edits() -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    """Ways in which a file changes."""
    middle = SIZE // 2
    yield "nothing", lambda old: old
    yield "in front", lambda old: noise(1000, 4) + old
    yield "at the end", lambda old: old + noise(1000, 4)
    yield "cut short", lambda old: old[: middle + 12_345]
    yield "cut off", lambda old: old[12_345:]
    yield "a byte", lambda old: old[:middle] + bytes([old[middle] ^ 1]) + old[middle + 1 :]
    yield "a stretch", lambda old: old[:middle] + noise(5 << 20, 4) + old[middle + (5 << 20) :]
    yield "turned over", lambda old: old[middle:] + old[:middle]
    yield "twice", lambda old: old + old[: 10 << 20]
    yield "zeros in between", lambda old: old[:middle] + bytes(9 << 20) + old[middle:]
    yield "everything", lambda old: noise(SIZE, 5)


@pytest.fixture(scope="module")
def old() -> bytes:
    return noise(SIZE)


EDITS = dict(edits())


@pytest.mark.parametrize("name", EDITS)
def test_the_pieces_are_those_of_a_first_look(tmp_path: Path, old: bytes, name: str) -> None:
    new = EDITS[name](old)
    before = [
        Piece(hashlib.sha256(part).digest(), len(part), b"", 0, quick(part))
        for part in parts(tmp_path / "old", old)
    ]
    (tmp_path / "new").write_bytes(new)
    descriptor = os.open(tmp_path / "new", os.O_RDONLY)
    try:
        wanted = list(stretches(descriptor, len(new), cuts))
        found = list(changed_stretches(descriptor, len(new), cuts, before))
    finally:
        os.close(descriptor)
    start, spelt = 0, []
    for each in found:
        size = each.size_bytes if isinstance(each, Piece) else each[1]
        content = new[start : start + size]
        if isinstance(each, Piece):
            assert each.digest == hashlib.sha256(content).digest()
        else:
            assert each[0] == start
        spelt.append((start, size))
        start += size
    assert spelt == wanted
    fresh = sum(each[1] for each in found if not isinstance(each, Piece))
    if name not in ("everything", "turned over"):
        assert fresh <= 20 << 20, "most of it was there before"


def parts(path: Path, content: bytes) -> list[bytes]:
    """The pieces of a content."""
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return [content[start : start + size] for start, size in stretches(descriptor, len(content), cuts)]
    finally:
        os.close(descriptor)
