"""Files and folders that a power cut leaves whole."""

import errno
import mmap
import os
import sys
import threading
from pathlib import Path

from trimtab.atoms.error import WritingEnded

#: From this size on a file goes past the page cache: its bytes are wanted on the disk, not in memory.
DIRECT_BYTES = 1 << 20
#: Bytes of one write past the page cache; memory, place and length must be multiples of the block.
_PIECE_BYTES = 4 << 20
_BLOCK_BYTES = 4096

_of_thread = threading.local()


class FlushFailed(OSError):
    """The disk did not take what was written before; what is on it is unknown, and to try again proves nothing.

    The system forgets what it could not write: a second flush of the same file would say that all is well.
    """


def writing_ended(where: object, error: Exception) -> WritingEnded:
    """What is said once, and from then on at every write, when a flush has failed."""
    return WritingEnded(
        f"{where}: the disk did not take a write ({error}); this process reads but keeps nothing more: "
        "check the disk, run `trimtab fsck`, then start again"
    )


def flush(descriptor: int) -> None:
    """Return when what was written is on the disk; on macOS also past the disk's own cache.

    Raises:
        FlushFailed: The caller must acknowledge nothing more.
    """
    try:
        if sys.platform == "darwin":
            import fcntl

            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fdatasync(descriptor)
    except OSError as error:
        raise FlushFailed(error.errno, error.strerror) from error


def flush_folder(folder: Path) -> None:
    """Return when the names in `folder` are on the disk.

    Raises:
        FlushFailed: The caller must acknowledge nothing more.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise FlushFailed(error.errno, error.strerror, str(folder)) from error
    finally:
        os.close(descriptor)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that must not be there yet (mode 0600) and flush it; its name is not flushed.

    Raises:
        FlushFailed: As `flush`.
    """
    view = memoryview(content)
    direct = os.O_DIRECT if len(view) >= DIRECT_BYTES and hasattr(os, "O_DIRECT") else 0
    descriptor = _open_new(path, direct)
    try:
        if descriptor < 0:
            descriptor, direct = _open_new(path, 0), 0
        if direct:
            _write_direct(descriptor, view)
        else:
            write_whole(descriptor, view)
        flush(descriptor)
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def write_whole(descriptor: int, content: bytes | memoryview) -> None:
    """Write all of `content`, however little the system takes at once."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _open_new(path: Path, flags: int) -> int:
    """A descriptor of a new file; -1 where the file system knows no `flags`."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | flags, 0o600)
    except OSError as error:
        # A file system that refuses O_DIRECT may have made the file all the same.
        if flags and error.errno == errno.EINVAL:
            path.unlink(missing_ok=True)
            return -1
        raise


def _write_direct(descriptor: int, view: memoryview) -> None:
    """Write past the page cache, in whole blocks from aligned memory; the last block is cut to size afterwards."""
    memory = _aligned_memory()
    for start in range(0, len(view), _PIECE_BYTES):
        piece = view[start : start + _PIECE_BYTES]
        memory[: len(piece)] = piece
        whole = -(-len(piece) // _BLOCK_BYTES) * _BLOCK_BYTES
        with memoryview(memory) as source:
            write_whole(descriptor, source[:whole])
    os.ftruncate(descriptor, len(view))


def _aligned_memory() -> mmap.mmap:
    if not hasattr(_of_thread, "memory"):
        _of_thread.memory = mmap.mmap(-1, _PIECE_BYTES)
    memory: mmap.mmap = _of_thread.memory
    return memory
