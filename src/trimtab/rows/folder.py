"""A folder of files as it lies on the disk: what is in it, by path, without reading a byte of it."""

import os
import stat as modes
from collections.abc import Collection

from trimtab.atoms.error import UsageError
from trimtab.ports.stat_index import FileStat
from trimtab.rows.file_list import Sort

#: A name that no version holds: a checkout writes files there before it renames them into place.
INCOMING = b".trimtab-incoming"
#: What every permission to execute is made of.
EXECUTABLE = 0o111


def scan(folder: str, *, without: Collection[str] = ()) -> dict[bytes, FileStat]:
    """Every file, link and empty folder below `folder` by its path, in order of the path's bytes.

    Args:
        folder: Absolute.
        without: Absolute paths that are passed over with all below them: the store, where it lies in the folder.

    Raises:
        UsageError: The folder or one below cannot be read, or something is neither file, link nor folder.
    """
    found: dict[bytes, FileStat] = {}
    passed = {os.fsencode(path) for path in without}
    root = os.fsencode(folder)
    waiting = [(root, b"")]
    while waiting:
        place, name = waiting.pop()
        try:
            empty = _scan_one(place, name, found, waiting, passed)
            if empty and name:
                found[name] = stat_of(os.lstat(place))
        except OSError as error:
            raise UsageError(
                f"{os.fsdecode(error.filename or place)} cannot be read: {error.strerror}"
            ) from error
    return dict(sorted(found.items()))


def _scan_one(
    place: bytes,
    name: bytes,
    found: dict[bytes, FileStat],
    waiting: list[tuple[bytes, bytes]],
    passed: Collection[bytes],
) -> bool:
    """Take in what lies in one folder; True where nothing does."""
    empty = True
    with os.scandir(place) as items:
        for item in items:
            if item.name == INCOMING or item.path in passed:
                continue
            empty = False
            path = name + b"/" + item.name if name else item.name
            if item.is_dir(follow_symlinks=False):
                waiting.append((item.path, path))
                continue
            stat = item.stat(follow_symlinks=False)
            if not (modes.S_ISREG(stat.st_mode) or modes.S_ISLNK(stat.st_mode)):
                shown = os.fsdecode(item.path)
                raise UsageError(f"{shown} is a pipe, socket or device: only files can be kept")
            found[path] = stat_of(stat)
    return empty


def stat_of(found: os.stat_result) -> FileStat:
    """What tells whether a file changed."""
    return FileStat(found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def sort_of(stat: FileStat) -> Sort:
    """What a name stands for."""
    if modes.S_ISLNK(stat.mode):
        return Sort.LINK
    if modes.S_ISDIR(stat.mode):
        return Sort.EMPTY_FOLDER
    return Sort.PROGRAM if stat.mode & EXECUTABLE else Sort.FILE


def stays_inside(path: bytes, target: bytes) -> bool:
    """Whether a link at `path` in a folder leads to a place in that folder, whatever other links lie on its way.

    A `..` behind a name is refused: the name may be a link to elsewhere in the folder, and what lies above that
    may be outside.

    >>> stays_inside(b"a/b", b"../c"), stays_inside(b"a/b", b"../../c"), stays_inside(b"a", b"/c")
    (True, False, False)
    >>> stays_inside(b"a", b"b/../../c")
    False
    """
    if target.startswith(b"/") or not target or b"\0" in target:
        return False
    parts = [part for part in target.split(b"/") if part not in (b"", b".")]
    up = next((place for place, part in enumerate(parts) if part != b".."), len(parts))
    return up <= path.count(b"/") and b".." not in parts[up:]
