"""A lock on a file that the system takes away from a process that dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trimtab.adapters.process_holder import this_process


@contextmanager
def hold(path: Path) -> Iterator[bool]:
    """Hold the lock on `path` while the block runs; False where another process has it.

    The file, made where it is not there, then says who holds it: see `process_holder`.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, this_process().encode(), 0)
        yield True
    finally:
        os.close(descriptor)


def holder_of(path: Path) -> str | None:
    """Who holds the lock on `path`; None where nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(descriptor, 1000, 0).decode()
    finally:
        os.close(descriptor)
    return None
