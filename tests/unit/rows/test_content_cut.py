"""Cuts follow the content: the same bytes are cut alike wherever they lie."""

import hashlib
import random

import pytest

from trimtab.rows.content_cut import LEAST, MOST, cuts


def pieces(content: bytes) -> list[bytes]:
    """The content in pieces."""
    ends = list(cuts(lambda place, size: content[place : place + size], len(content)))
    return [content[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def noise(size: int, seed: int = 7) -> bytes:
    return random.Random(seed).randbytes(size)


def rows(count: int, seed: int = 7) -> bytes:
    """A table as text, which has few different stretches of four bytes."""
    dice = random.Random(seed)
    return "".join(
        f"{n},{dice.random():.4f},{dice.choice(['red', 'blue'])},2024-01-{n % 28 + 1:02d}\n"
        for n in range(count)
    ).encode()


@pytest.mark.parametrize("content", [noise(24 << 20), rows(700_000)], ids=["noise", "rows"])
def test_an_insertion_moves_only_the_cuts_beside_it(content: bytes) -> None:
    before = pieces(content)
    assert b"".join(before) == content
    assert len(before) > 5
    for place in (0, 1, len(content) // 2 + 3):
        after = pieces(content[:place] + b"inserted" * 125 + content[place:])
        fresh = [piece for piece in after if piece not in set(before)]
        assert sum(map(len, fresh)) <= 2 * MOST, place
        assert len(fresh) <= 3, place


@pytest.mark.parametrize(
    "content",
    [noise(20 << 20), bytes(20 << 20), b"ab" * (10 << 20), rows(300_000)],
    ids=["noise", "0", "ab", "rows"],
)
def test_pieces_keep_to_the_limits(content: bytes) -> None:
    sizes = [len(piece) for piece in pieces(content)]
    assert sum(sizes) == len(content)
    assert all(LEAST <= size <= MOST for size in sizes[:-1])
    assert 0 < sizes[-1] <= MOST


@pytest.mark.parametrize(
    "size", [0, 1, 63, 64, 65, LEAST - 1, LEAST, LEAST + 63, LEAST + 64, LEAST + 65, LEAST + 70]
)
def test_short_contents_are_cut_whole(size: int) -> None:
    assert b"".join(pieces(noise(size))) == noise(size)


def test_a_cut_does_not_depend_on_the_version() -> None:
    """Cuts that move between versions of this program would store everything again: 0008 says what then."""
    ends = list(cuts(lambda place, size: CONTENT[place : place + size], len(CONTENT)))
    assert hashlib.sha256(repr(ends).encode()).hexdigest()[:16] == PINNED, ends


CONTENT = noise(16 << 20, seed=2024)
PINNED = "d2c08c6fd370ae16"
