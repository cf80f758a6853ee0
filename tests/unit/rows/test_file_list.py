"""File lists come back as they were written, and versions share those in which nothing changed."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.atoms.error import Damaged
from trimtab.rows.file_list import (
    LEAST,
    MOST,
    File,
    Piece,
    Sort,
    cut_lists,
    digest_of,
    read_list,
    whole_digest,
    write_list,
)

DIGEST = st.binary(min_size=32, max_size=32)
SIZE = st.integers(0, 2**40)
WHOLE = st.builds(Piece, DIGEST, SIZE, DIGEST, SIZE)
PIECE = st.builds(Piece, DIGEST, SIZE, DIGEST, SIZE, st.binary(min_size=16, max_size=16))


@st.composite
def files(draw: st.DrawFn) -> File:
    """A file as the ingest makes it: of one piece it is that piece."""
    path = draw(st.binary(min_size=1, max_size=300))
    count = draw(st.integers(0, 4))
    if count == 1:
        parts = (draw(WHOLE),)
        return File(path, Sort.FILE, parts[0].size_bytes, parts[0].digest, parts)
    parts = tuple(draw(st.lists(PIECE, min_size=count, max_size=count)))
    size = sum(part.size_bytes for part in parts)
    return File(path, draw(st.sampled_from(Sort)), size, digest_of([part.digest for part in parts]), parts)


@given(st.lists(files(), max_size=20))
def test_a_list_comes_back(written: list[File]) -> None:
    content = write_list(written)
    assert read_list(content) == written
    assert write_list(read_list(content)) == content


def many(count: int) -> list[File]:
    dice = random.Random(5)
    made = []
    for number in range(count):
        digest = dice.randbytes(32)
        made.append(File(b"%07d.png" % number, Sort.FILE, 9, digest, (Piece(digest, 9, digest, 0),)))
    return made


def test_one_file_more_changes_one_list() -> None:
    before = [write_list(part) for part in cut_lists(many(60_000))]
    more = many(60_000)
    more.insert(30_000, File(b"0029999.pnh", Sort.FILE, 0, bytes(32), ()))
    after = [write_list(part) for part in cut_lists(more)]
    assert len(before) > 10
    assert len(set(after) - set(before)) <= 2
    assert all(LEAST <= len(read_list(part)) <= MOST for part in before[:-1])
    assert [file for part in after for file in read_list(part)] == more


def test_paths_that_all_end_lists_or_none() -> None:
    """Whoever chooses the paths cannot make the lists small or large."""
    same = [File(b"x", Sort.FILE, 0, bytes(32), ()) for _ in range(3 * MOST)]
    assert all(LEAST <= len(part) <= MOST for part in list(cut_lists(same))[:-1])
    assert list(cut_lists([])) == []


def test_the_whole_depends_on_paths_sorts_and_contents() -> None:
    one, other = many(2)
    moved = File(b"z", one.sort, one.size_bytes, one.digest, one.pieces)
    program = File(one.path, Sort.PROGRAM, one.size_bytes, one.digest, one.pieces)
    wholes = [[one, other], [one], [], [moved, other], [program, other]]
    assert len({whole_digest(each) for each in wholes}) == len(wholes)
    assert whole_digest([one, other]) == whole_digest(many(2))


@pytest.mark.parametrize("content", [b"", b"junk", write_list(many(3))[:-5], b"\x78\x9c" * 50])
def test_bytes_that_are_no_list(content: bytes) -> None:
    with pytest.raises(Damaged):
        read_list(content)
