"""Cutting bytes where their content says, so that an insertion moves no cut but those beside it."""

from collections.abc import Callable, Iterator

import numpy as np

#: Bytes of a piece: at least; on average; at most.
LEAST, MEAN, MOST = 1 << 20, 2 << 20, 8 << 20
#: Bytes that are looked at together: with the arrays made of them they stay in a core's own cache.
_BLOCK = 1 << 18
#: Bytes before a cut that decide that it lies there: a piece alone tells where it ends.
WINDOW = 64
#: Of all places one in 2 ** 20 is a cut: one in 2 ** 10 by its first four bytes, of these one in 2 ** 10 by all.
_FIRST_BITS, _ALL_BITS = 10, 10

#: Places of a block that are tested over the whole window: in a block of noise 256 pass the first test, in one of
#: zeros all do.
_MOST_LIKELY, _AT_ONCE = 2048, 512

_FIRST_KEY = np.uint32(0x9E3779B1)
_FIRST_LIMIT = np.uint32(1 << (32 - _FIRST_BITS))
_ALL_LIMIT = np.uint64(1 << (64 - _ALL_BITS))

#: Reads up to so many bytes (second) from a place (first) on; fewer at the end.
Read = Callable[[int, int], bytes]


def _keys() -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    """Odd multipliers, one for each four bytes of the window: the powers of one odd number."""
    keys, key = [], 0xD1342543DE82EF95
    for _ in range(WINDOW // 4):
        keys.append(key)
        key = key * 0xD1342543DE82EF95 % (1 << 64)
    return np.array(keys, dtype=np.uint64)


_ALL_KEYS = _keys()


def cuts(read: Read, size_bytes: int, start: int = 0) -> Iterator[int]:
    """The ends of the pieces of `size_bytes` bytes, in order; the last is `size_bytes`.

    Args:
        start: Where to begin: the end of a piece.

    The bytes of a piece that come before the least size are not looked at, so it runs at twice the speed of the
    search itself; numpy lets go of the interpreter meanwhile.

    Source:
        Muthitacharoen et al. 2001 (LBFS) for cuts by content, Xia et al. 2016 (FastCDC) for skipping what lies
        below the least size. Their byte-wise rolling hash is a loop that Python cannot run; here a cut is tested
        on all places of a block at once: a product of its first four bytes passes one place in a thousand, and
        only those are hashed over the whole window.
    """
    search = _Search()
    while start < size_bytes:
        end = min(start + MOST, size_bytes)
        start = next(_candidates(search, read, start + LEAST - WINDOW, end), end)
        yield start


def _candidates(search: "_Search", read: Read, start: int, end: int) -> Iterator[int]:
    """Places in [start + WINDOW, end) where the content says cut, each by the window before it."""
    for place in range(start, end - WINDOW, _BLOCK):
        block = read(place, min(_BLOCK + WINDOW, end - place))
        for found in search.places(block):
            yield place + found + WINDOW


class _Search:
    """Holds the arrays that each block needs anew."""

    def __init__(self) -> None:
        words = _BLOCK // 4 + 1
        self._products = np.empty(words, dtype=np.uint32)
        self._passes = np.empty(words, dtype=np.bool_)

    def places(self, block: bytes) -> Iterator[int]:
        """Where in a block the content says cut, in order; the last `WINDOW` bytes only complete a window."""
        content = np.frombuffer(block, dtype=np.uint8)
        count = len(block) - WINDOW
        likely = []
        for shift in range(min(4, max(count, 0))):
            words = content[shift : shift + (count - shift + 3) // 4 * 4].view("<u4")
            products = np.multiply(words, _FIRST_KEY, out=self._products[: len(words)])
            passes = np.less(products, _FIRST_LIMIT, out=self._passes[: len(words)])
            likely.append(np.flatnonzero(passes) * 4 + shift)
        found = np.sort(np.concatenate(likely)) if likely else np.empty(0, dtype=np.intp)
        return _sure(content, found[:_MOST_LIKELY])


def _sure(
    content: "np.ndarray[tuple[int], np.dtype[np.uint8]]", likely: "np.ndarray[tuple[int], np.dtype[np.intp]]"
) -> Iterator[int]:
    """Those of the likely places whose whole window says cut; a few at a time, as mostly the first one will do."""
    for start in range(0, len(likely), _AT_ONCE):
        some = likely[start : start + _AT_ONCE]
        yield from some[_whole_window(content, some) < _ALL_LIMIT].tolist()


def _whole_window(
    content: "np.ndarray[tuple[int], np.dtype[np.uint8]]", places: "np.ndarray[tuple[int], np.dtype[np.intp]]"
) -> "np.ndarray[tuple[int], np.dtype[np.uint64]]":
    """A hash of the `WINDOW` bytes from each place on."""
    windows = np.lib.stride_tricks.as_strided(content, (max(len(content) - WINDOW + 1, 0), WINDOW), (1, 1))
    sums = windows[places].view("<u4") @ _ALL_KEYS
    # The high bits of a sum of products know most of the bytes, the low ones little: fold, and multiply once more.
    mixed: np.ndarray[tuple[int], np.dtype[np.uint64]] = (sums ^ (sums >> np.uint64(32))) * _ALL_KEYS[0]
    return mixed
