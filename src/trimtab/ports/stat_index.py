"""What was found in files when they were last read, so that a file that nobody touched is not read again."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

#: Nanoseconds that a file must have rested before it was read, so that its times tell a later change apart. Kernels
#: stamp by a tick of up to 10 ms; a file system whose stamps are whole milliseconds may stamp by two seconds.
REST_NS, COARSE_REST_NS = 100_000_000, 2_100_000_000
_FINE_NS = 1_000_000


class FileStat(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a file system says of a file without reading it; equal where the file is as it was."""

    #: Kind and permissions, as in `stat`.
    mode: int
    size_bytes: int
    modified_ns: int
    #: When content or inode last changed: no program can set it back.
    changed_ns: int
    inode: int


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """What an index knows of one place."""

    #: By path, in bytes of the file system.
    stats: Mapping[bytes, FileStat]
    #: The digest of each file of `stats`.
    digests: Mapping[bytes, bytes]
    #: Digest of all together, for whoever remembered them; empty where there is none.
    whole: str = ""


#: What is known of a place that nobody remembered.
NOTHING = Remembered(stats={}, digests={})


class StatIndex(Protocol):
    """Contract:

    - It is a cache: losing it costs time and nothing else, and `recall` never raises for what it finds damaged.
    - `recall` gives what one `remember` of that place was given, wholly, or `NOTHING`; the last one wins.
    - Any number of threads and processes may recall and remember at once.
    - Whoever remembers leaves out files that had not rested (see `has_rested`) when they were read.
    """

    def recall(self, place: str) -> Remembered:
        """What was remembered of `place`, a name that the caller chooses."""
        ...

    def remember(self, place: str, remembered: Remembered) -> None:
        """Put `remembered` in the place of what was known."""
        ...


def has_rested(stat: FileStat, read_ns: int) -> bool:
    """Whether a file that was read at `read_ns` (since 1970) cannot change later without its stat showing it.

    >>> has_rested(FileStat(0, 1, 5, 5, 1), 5 + REST_NS), has_rested(FileStat(0, 1, 5, 5, 1), 5)
    (True, False)
    """
    rest = REST_NS if stat.changed_ns % _FINE_NS else COARSE_REST_NS
    return max(stat.modified_ns, stat.changed_ns) + rest <= read_ns
