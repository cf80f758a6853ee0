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
#: Bytes of one write past the page cache: of a thread that writes a whole file, and of a file that comes by and by.
#: Memory, place and length must be multiples of the block.
_PIECE_BYTES = 4 << 20
_GATHERED_BYTES = 1 << 20
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


class NewFile:
    """A file that must not be there yet (mode 0600), written piece by piece; its name is not flushed."""

    def __init__(self, path: Path, *, direct: bool, memory: mmap.mmap | None = None) -> None:
        """
        Args:
            direct: Past the page cache, where the file system knows how.
            memory: What bytes are gathered in on their way past the page cache; None: some of its own.
        """
        self._descriptor = -1
        if direct and hasattr(os, "O_DIRECT"):
            self._descriptor = _open_new(path, os.O_DIRECT)
        direct = self._descriptor >= 0
        if not direct:
            self._descriptor = _open_new(path, 0)
        #: Aligned, in whole blocks, as the system asks; None: what comes is written as it is.
        self._memory = (memory or mmap.mmap(-1, _GATHERED_BYTES)) if direct else None
        self._gathered = 0
        self._size_bytes = 0

    def write(self, content: bytes | bytearray | memoryview) -> None:
        """Add bytes; they are durable after `flush`."""
        view = memoryview(content)
        self._size_bytes += len(view)
        if self._memory is None:
            write_whole(self._descriptor, view)
            return
        while view:
            piece = view[: len(self._memory) - self._gathered]
            self._memory[self._gathered : self._gathered + len(piece)] = piece
            self._gathered += len(piece)
            view = view[len(piece) :]
            if self._gathered == len(self._memory):
                self._put(self._memory)

    def flush(self) -> None:
        """Return when all of it is on the disk; nothing is written afterwards.

        Raises:
            FlushFailed: As `flush`.
        """
        if self._memory is not None and self._gathered:
            self._put(self._memory)
            os.ftruncate(self._descriptor, self._size_bytes)
        flush(self._descriptor)

    def close(self) -> None:
        """Let go of the file, whole or not."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _put(self, memory: mmap.mmap) -> None:
        """Write what was gathered, in whole blocks: the last one is cut to size by `flush`."""
        whole = -(-self._gathered // _BLOCK_BYTES) * _BLOCK_BYTES
        with memoryview(memory) as source:
            write_whole(self._descriptor, source[:whole])
        self._gathered = 0


def write_new(path: Path, content: bytes) -> None:
    """Write a file that must not be there yet (mode 0600) and flush it; its name is not flushed.

    Raises:
        FlushFailed: As `flush`.
    """
    direct = len(content) >= DIRECT_BYTES
    file = NewFile(path, direct=direct, memory=_memory_of_thread() if direct else None)
    try:
        file.write(content)
        file.flush()
    finally:
        file.close()


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


def _memory_of_thread() -> mmap.mmap:
    if not hasattr(_of_thread, "memory"):
        _of_thread.memory = mmap.mmap(-1, _PIECE_BYTES)
    memory: mmap.mmap = _of_thread.memory
    return memory
