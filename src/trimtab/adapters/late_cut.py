"""Cutting by content, whose library is loaded when the first large file comes."""

from collections.abc import Callable, Iterator


def late_cuts(read: Callable[[int, int], bytes], size_bytes: int, start: int = 0) -> Iterator[int]:
    """See `trimtab.rows.content_cut.cuts`."""
    from trimtab.rows.content_cut import cuts

    return cuts(read, size_bytes, start)
