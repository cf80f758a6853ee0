"""How much of the disk a folder takes."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

#: Bytes of a block as `st_blocks` counts them.
_BLOCK = 512


def disk_bytes(folder: Path) -> int:
    """Bytes on the disk of everything in `folder`, as `du` counts them; files that go meanwhile count nothing."""
    return sum(_blocks(folder)) * _BLOCK


def _blocks(folder: Path) -> Iterator[int]:
    try:
        yield folder.lstat().st_blocks
        with os.scandir(folder) as found:
            items = list(found)
    except FileNotFoundError:
        return
    for item in items:
        if item.is_dir(follow_symlinks=False):
            yield from _blocks(Path(item.path))
            continue
        with suppress(FileNotFoundError):
            yield item.stat(follow_symlinks=False).st_blocks
