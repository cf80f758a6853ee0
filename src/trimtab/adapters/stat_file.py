"""A stat index as small files, one a place, in the store's `cache/`."""

import hashlib
import itertools
import os
import zlib
from array import array
from contextlib import suppress
from pathlib import Path

from trimtab.atoms.digest import digest_bytes
from trimtab.ports.stat_index import NOTHING, FileStat, Remembered

#: Says the layout; followed by SHA-256 of the rest.
_MAGIC = b"trimtab stat index 1\n"
_DIGEST_BYTES = 32
#: Numbers of a FileStat.
_FIELDS = len(FileStat.__struct_fields__)
_COUNT = itertools.count()


class StatFiles:
    """Contract of the port. Columns rather than records: 10,000 files are read in 5 ms.

    A file is replaced by rename and never flushed: after a power cut its digest says that it is torn.
    """

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which is made when there is something to remember."""
        self._folder = folder

    def recall(self, place: str) -> Remembered:
        """See the port."""
        try:
            body = self._path(place).read_bytes()
            return _read(body, place)
        except (OSError, ValueError, zlib.error):
            return NOTHING

    def remember(self, place: str, remembered: Remembered) -> None:
        """See the port; where the folder cannot be written, nothing is remembered."""
        path = self._path(place)
        draft = path.with_suffix(f".{os.getpid()}.{next(_COUNT)}")
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                draft.write_bytes(_written(place, remembered))
                os.replace(draft, path)
            finally:
                draft.unlink(missing_ok=True)

    def _path(self, place: str) -> Path:
        return self._folder / f"{digest_bytes(os.fsencode(place))[:32]}.stat"


def _written(place: str, remembered: Remembered) -> bytes:
    paths = list(remembered.stats)
    numbers = array("q", itertools.chain.from_iterable(map(_numbers, remembered.stats.values())))
    head = f"{place.encode(errors='surrogateescape').hex()} {remembered.whole} {len(paths)}\n".encode()
    names = b"\0".join(paths)
    digests = b"".join(map(remembered.digests.__getitem__, paths))
    body = b"".join((head, numbers.tobytes(), digests, names))
    return _MAGIC + hashlib.sha256(body).digest() + body


def _read(content: bytes, place: str) -> Remembered:
    start = len(_MAGIC) + _DIGEST_BYTES
    body = memoryview(content)[start:]
    if content[:start] != _MAGIC + hashlib.sha256(body).digest():
        return NOTHING
    end = content.index(b"\n", start)
    whose, whole, count_text = content[start:end].decode().split(" ")
    if bytes.fromhex(whose) != place.encode(errors="surrogateescape"):
        return NOTHING
    count = int(count_text)
    first = end + 1
    numbers = array("q")
    numbers.frombytes(content[first : first + count * _FIELDS * numbers.itemsize])
    second = first + count * _FIELDS * numbers.itemsize
    third = second + count * _DIGEST_BYTES
    paths = content[third:].split(b"\0") if count else []
    digests = [content[at : at + _DIGEST_BYTES] for at in range(second, third, _DIGEST_BYTES)]
    stats = map(FileStat, *(numbers[field::_FIELDS] for field in range(_FIELDS)))
    return Remembered(
        stats=dict(zip(paths, stats, strict=True)),
        digests=dict(zip(paths, digests, strict=True)),
        whole=whole,
    )


def _numbers(stat: FileStat) -> tuple[int, int, int, int, int]:
    return stat.mode, stat.size_bytes, stat.modified_ns, stat.changed_ns, stat.inode
