"""What a power cut leaves of a recorded run: only what was flushed is sure to be there.

A run's calls, as strace wrote them down, are played over a model of a file system: bytes are durable once their file
was flushed, names once their folder was. For any moment of the run the model gives a state that a disk may be in
after a cut: everything durable, and of the rest what the dice say, each write and each change of a name by itself.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

#: Calls that the model knows; a recording must ask for these.
CALLS = (
    "openat,close,write,pwrite64,ftruncate,fsync,fdatasync,mkdir,mkdirat,rename,renameat,renameat2,"
    "link,linkat,unlink,unlinkat,rmdir,sendto"
)
_SECTOR = 512


@dataclass
class Inode:
    """A file: its bytes on the disk, and what was written since they were flushed."""

    durable: bytearray = field(default_factory=bytearray)
    #: (offset, bytes), or (size, None) where it was cut.
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def flush(self) -> None:
        """Everything written is on the disk."""
        for change in self.pending:
            _apply(self.durable, change)
        self.pending.clear()

    def survivor(self, dice: random.Random, share: float) -> bytes:
        """Bytes after a cut: any of what was not flushed may be there, also in part."""
        content = bytearray(self.durable)
        for offset, piece in self.pending:
            kept = piece
            if dice.random() >= share:
                continue
            if piece is not None and dice.random() < 0.3:
                kept = piece[: dice.randrange(0, len(piece) + 1) // _SECTOR * _SECTOR]
            _apply(content, (offset, kept))
        return bytes(content)


def _apply(content: bytearray, change: tuple[int, bytes | None]) -> None:
    offset, piece = change
    if piece is None:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
    else:
        content.extend(bytes(max(offset - len(content), 0)))
        content[offset : offset + len(piece)] = piece


class Disk:
    """Files by path, folders as None; which names are durable, and which changes of names are not yet."""

    def __init__(self, root: PurePosixPath) -> None:
        self._root = str(root)
        self.now: dict[str, Inode | None] = {}
        self._durable: dict[str, Inode | None] = {}
        #: Changes of names by folder, in order: path, file or folder, and whether it is there afterwards.
        self._pending: dict[str, list[tuple[tuple[str, Inode | None, bool], ...]]] = {}
        self._open: dict[int, tuple[str, Inode | None, bool]] = {}
        self._place: dict[int, int] = {}
        self.said: list[str] = []
        self.flushes = 0

    def ours(self, path: str) -> bool:
        """Whether a path lies on this disk."""
        return path.startswith(self._root)

    def play(self, call: str, arguments: list[object], result: int) -> None:
        """Take in one call that went well."""
        handler = getattr(self, f"_{call}", None)
        if handler is not None:
            handler(arguments, result)

    def survivors(self, dice: random.Random, share: float) -> dict[str, bytes | None]:
        """A state after a cut at this moment: content by path, None for a folder.

        Args:
            share: How much of what was not flushed is there, from 0 (nothing) to 1 (all, but for torn writes).
        """
        names = dict(self._durable)
        for changes in self._pending.values():
            for together in changes:
                if dice.random() < share:
                    for path, inode, there in together:
                        if there:
                            names[path] = inode
                        else:
                            names.pop(path, None)
        kept: dict[str, bytes | None] = {}
        for path in sorted(names):
            parent = path.rpartition("/")[0]
            if parent in kept or parent == self._root:
                inode = names[path]
                kept[path] = None if inode is None else inode.survivor(dice, share)
        return kept

    def _change(self, folder: str, *changes: tuple[str, Inode | None, bool]) -> None:
        for path, inode, there in changes:
            if there:
                self.now[path] = inode
            else:
                self.now.pop(path, None)
        if any(self.ours(path) for path, _, _ in changes):
            self._pending.setdefault(folder, []).append(changes)

    def _openat(self, arguments: list[object], result: int) -> None:
        path, flags = _bytes(arguments[1]).decode(), str(arguments[2])
        if not self.ours(path):
            self._open.pop(result, None)
            return
        if path not in self.now and "O_CREAT" in flags:
            self._change(_parent(path), (path, Inode(), True))
        inode = self.now.get(path)
        if inode is not None and "O_TRUNC" in flags:
            inode.pending.append((0, None))
        self._open[result] = (path, inode, "O_APPEND" in flags)
        self._place[result] = 0

    def _close(self, arguments: list[object], result: int) -> None:
        self._open.pop(int(str(arguments[0])), None)

    def _write(self, arguments: list[object], result: int) -> None:
        number = int(str(arguments[0]))
        if number in self._open and (inode := self._open[number][1]) is not None:
            place = _size(inode) if self._open[number][2] else self._place[number]
            inode.pending.append((place, _bytes(arguments[1])[:result]))
            self._place[number] = place + result

    def _pwrite64(self, arguments: list[object], result: int) -> None:
        number = int(str(arguments[0]))
        if number in self._open and (inode := self._open[number][1]) is not None:
            inode.pending.append((int(str(arguments[3])), _bytes(arguments[1])[:result]))

    def _ftruncate(self, arguments: list[object], result: int) -> None:
        number = int(str(arguments[0]))
        if number in self._open and (inode := self._open[number][1]) is not None:
            inode.pending.append((int(str(arguments[1])), None))

    def _fsync(self, arguments: list[object], result: int) -> None:
        found = self._open.get(int(str(arguments[0])))
        if found is None:
            return
        self.flushes += 1
        path, inode, _ = found
        if inode is not None:
            inode.flush()
            return
        for together in self._pending.pop(path, []):
            for name, target, there in together:
                if there:
                    self._durable[name] = target
                else:
                    self._durable.pop(name, None)

    _fdatasync = _fsync

    def _mkdir(self, arguments: list[object], result: int) -> None:
        path = str(arguments[0])
        self._change(_parent(path), (path, None, True))

    def _rename(self, arguments: list[object], result: int) -> None:
        old, new = str(arguments[0]), str(arguments[1])
        if old in self.now:
            inode = self.now[old]
            # Both names change at once where both folders are one journal's, as on every file system that we know.
            self._change(_parent(new), (new, inode, True), (old, inode, False))

    def _link(self, arguments: list[object], result: int) -> None:
        old, new = str(arguments[0]), str(arguments[1])
        if old in self.now:
            self._change(_parent(new), (new, self.now[old], True))

    def _unlink(self, arguments: list[object], result: int) -> None:
        path = str(arguments[0])
        self._change(_parent(path), (path, None, False))

    _rmdir = _unlink

    def _sendto(self, arguments: list[object], result: int) -> None:
        self.said.append(_bytes(arguments[1])[:result].decode(errors="replace"))


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _size(inode: Inode) -> int:
    content = bytearray(inode.durable)
    for change in inode.pending:
        _apply(content, change)
    return len(content)


def _bytes(argument: object) -> bytes:
    assert isinstance(argument, bytes)
    return argument


_CALL = re.compile(r"(\d+) +(?:(\w+)\((.*)\) += (-?\d+)|<\.\.\. (\w+) resumed>(.*)\) += (-?\d+))")
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")


def calls(log: Path) -> Iterator[tuple[str, list[object], int]]:
    """Calls that went well, in the order in which they ended."""
    begun: dict[str, str] = {}
    for line in log.read_text().splitlines():
        if started := _BEGUN.match(line):
            begun[started[1]] = started[3]
            continue
        ended = _CALL.match(line)
        if ended is None:
            continue
        call = ended[2] or ended[5]
        text = ended[3] if ended[2] else begun.pop(ended[1], "") + ended[6]
        result = int(ended[4] or ended[7])
        if result >= 0:
            yield _plain(call, _arguments(text), result)


def _plain(call: str, arguments: list[object], result: int) -> tuple[str, list[object], int]:
    """`renameat2` and its like as `rename`, with the paths alone."""
    named = re.fullmatch(r"(mkdir|rename|link|unlink|rmdir)(?:at2?)?", call)
    if named is None:
        return call, arguments, result
    paths = [argument for argument in arguments if isinstance(argument, bytes)]
    return named[1], [path.decode() for path in paths], result


def _arguments(text: str) -> list[object]:
    """Strings, which `-xx` writes as hex, as bytes; the rest as it stands."""
    found: list[object] = []
    for quoted, plain in re.findall(r'"((?:\\x[0-9a-f]{2})*)"|([^,\s"][^,"]*)', text):
        found.append(plain.strip() if plain else bytes.fromhex(quoted.replace("\\x", "")))
    return found
