"""Whether segments have grown, for whoever asks often: a look at the folder, and one at each open segment."""

import os
import time
from collections.abc import Hashable
from pathlib import Path
from typing import NamedTuple

#: A folder's time tells of no further change that comes within a tick of its clock; this is longer than any tick.
_SETTLED_NS = 2_000_000_000


class _Listing(NamedTuple):
    """What a folder held."""

    changed_ns: int
    #: Whether the folder's time would be another one had it changed since.
    settled: bool
    #: Segments that may still grow.
    open: tuple[str, ...]


class SegmentPulses:
    """Remembers which segments have ended: these are not looked at again."""

    def __init__(self) -> None:
        self._listings: dict[Path, _Listing] = {}

    def of(self, folder: Path) -> Hashable:
        """See `Streams.pulse`."""
        try:
            changed_ns = os.stat(folder).st_mtime_ns
            listing = self._listings.get(folder)
            if listing is None or not listing.settled or listing.changed_ns != changed_ns:
                listing = self._listings[folder] = _listed(folder, changed_ns)
        except FileNotFoundError:
            return ()
        return (changed_ns, tuple(_size(path) for path in listing.open))


def _listed(folder: Path, changed_ns: int) -> _Listing:
    settled = time.time_ns() - changed_ns > _SETTLED_NS
    names = set(os.listdir(folder))
    still = sorted(name for name in names if name.endswith(".seg") and f"{name}.end" not in names)
    return _Listing(changed_ns, settled, tuple(os.path.join(folder, name) for name in still))


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return -1  # forgotten meanwhile
