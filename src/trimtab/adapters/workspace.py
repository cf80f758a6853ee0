"""Files written into a person's folder: the one place where a stored path becomes one on the disk."""

import itertools
import os
import shutil
from contextlib import suppress
from urllib.parse import quote, unquote

from trimtab.adapters.process_holder import is_dead, this_process
from trimtab.atoms.error import Damaged, StoreError, UsageError
from trimtab.rows.folder import INCOMING, stays_inside

#: Keeps the workspaces of one process apart.
_COUNT = itertools.count()


class Workspace:
    """A folder that files are put into, each wholly or not at all; nothing is written outside of it.

    A folder that was not there is built beside its place and renamed into it as a whole. What a process that was
    killed left half-written is swept by the next one.
    """

    def __init__(self, folder: str) -> None:
        """Use `folder`, absolute; made where it is not there, with the folders above it."""
        self._final = os.fsencode(folder)
        self._fresh = not os.path.lexists(self._final)
        self._base = os.path.join(os.path.dirname(self._final) if self._fresh else self._final, INCOMING)
        self._own = os.path.join(self._base, f"{quote(this_process(), safe='')}+{next(_COUNT)}".encode())
        self._root = self._own if self._fresh else self._final
        self._drafts = itertools.count()
        self._made: set[bytes] = set()
        #: Inode, time of change and size of each file when it was written: what tells a later change by others.
        self.written: dict[bytes, tuple[int, int, int]] = {}

    def __enter__(self) -> "Workspace":
        if not self._fresh and not os.path.isdir(self._final):
            raise UsageError(f"{os.fsdecode(self._final)} is a file: name a folder to check out into")
        try:
            os.makedirs(self._own)
            for left in os.listdir(self._base):
                if is_dead(unquote(os.fsdecode(left).rpartition("+")[0])):
                    shutil.rmtree(os.path.join(self._base, left), ignore_errors=True)
        except OSError as error:
            raise UsageError(f"{os.fsdecode(self._final)} cannot be written: {error.strerror}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if self._fresh and kind is None:
                os.rename(self._own, self._final)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            shutil.rmtree(self._own, ignore_errors=True)
            with suppress(OSError):  # another process is at work here
                os.rmdir(self._base)

    def write(self, path: bytes, executable: bool, content: bytes | memoryview) -> None:
        """Put a whole file into place, over one that is there."""
        place = self._place(path)
        draft = self._draft(place)
        descriptor = self._create(draft, executable)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
            self._note(path, descriptor)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            os.close(descriptor)
        self._settle(draft, place)

    def begin(self, path: bytes, executable: bool, size_bytes: int) -> "Draft":
        """Begin a large file that is written piece by piece and put into place when it is whole."""
        place = self._place(path)
        draft = self._draft(place)
        return Draft(self, path, draft, place, self._create(draft, executable), size_bytes)

    def link(self, path: bytes, target: bytes) -> None:
        """Put a link into place that leads to another name in the folder."""
        if not stays_inside(path, target):
            raise Damaged(f"a link at {os.fsdecode(path)} would lead out of the folder: it is not written")
        place = self._place(path)
        draft = self._draft(place)
        os.symlink(target, draft)
        found = os.lstat(draft)
        self.written[path] = (found.st_ino, found.st_mtime_ns, found.st_size)
        self._settle(draft, place)

    def make_folder(self, path: bytes) -> None:
        """Make a folder and those above it."""
        self._make(self._checked(path))

    def remove(self, path: bytes) -> None:
        """Remove a file or link, and the folders that are empty then."""
        place = self._checked(path)
        with suppress(FileNotFoundError):
            if os.path.isdir(place) and not os.path.islink(place):
                os.rmdir(place)
            else:
                os.unlink(place)
        above = os.path.dirname(place)
        while above != self._root:
            try:
                os.rmdir(above)
            except OSError:
                return
            above = os.path.dirname(above)

    def _place(self, path: bytes) -> bytes:
        place = self._checked(path)
        above = os.path.dirname(place)
        if above not in self._made:
            self._make(above)
        return place

    def _checked(self, path: bytes) -> bytes:
        """The one choke point: a path that would leave the folder is refused, whoever made the list."""
        parts = path.split(b"/")
        if not path or b"\0" in path or any(part in (b"", b".", b"..") for part in parts):
            raise Damaged(f"a stored path leads out of the folder: {os.fsdecode(path)!r} is not written")
        if INCOMING in parts:
            raise Damaged(f"{os.fsdecode(path)!r} is a name that Trimtab needs itself: it is not written")
        return os.path.join(self._root, *parts)

    def _make(self, place: bytes) -> None:
        """Make a folder; what lies on the way must be folders, not links to them."""
        if place in self._made or place == self._root:
            return
        self._make(os.path.dirname(place))
        try:
            os.mkdir(place)
        except FileExistsError:
            if os.path.islink(place) or not os.path.isdir(place):
                raise UsageError(f"{os.fsdecode(place)} is in the way of a folder: move it away") from None
        except OSError as error:
            raise self._failed(error) from error
        self._made.add(place)

    def _draft(self, place: bytes) -> bytes:
        if self._fresh:
            return place
        return os.path.join(self._own, b"%d" % next(self._drafts))

    def _create(self, draft: bytes, executable: bool) -> int:
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            return os.open(draft, flags, 0o777 if executable else 0o666)
        except OSError as error:
            raise self._failed(error) from error

    def _settle(self, draft: bytes, place: bytes) -> None:
        if draft != place:
            try:
                os.replace(draft, place)
            except OSError as error:
                raise self._failed(error) from error

    def _note(self, path: bytes, descriptor: int) -> None:
        found = os.fstat(descriptor)
        self.written[path] = (found.st_ino, found.st_mtime_ns, found.st_size)

    def _failed(self, error: OSError) -> StoreError:
        name = os.fsdecode(error.filename or self._final)
        return StoreError(f"{name} cannot be written: {error.strerror}; run the same command again")


class Draft:
    """A file that is being written, by several threads at once."""

    def __init__(
        self, owner: Workspace, path: bytes, draft: bytes, place: bytes, descriptor: int, size_bytes: int
    ) -> None:
        self._owner, self._path, self._draft, self._place = owner, path, draft, place
        self._descriptor = descriptor
        os.ftruncate(descriptor, size_bytes)

    def write(self, start: int, content: bytes) -> None:
        """Write a stretch."""
        view = memoryview(content)
        try:
            while view:
                count = os.pwrite(self._descriptor, view, start)
                view, start = view[count:], start + count
        except OSError as error:
            raise self._owner._failed(error) from error

    def settle(self) -> None:
        """Put the whole file into place."""
        self._owner._note(self._path, self._descriptor)
        self._owner._settle(self._draft, self._place)

    def close(self) -> None:
        """Let go of the file; without `settle` it is swept away with the workspace."""
        os.close(self._descriptor)
