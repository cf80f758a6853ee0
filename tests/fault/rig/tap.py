"""strace on a worker: counts the calls of an operation, or makes one of them fail."""

import re
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

#: What changes a store on the disk. `openat` is left out: it is how a store is read, too.
WRITES = ("write", "pwrite64", "writev", "pwritev", "ftruncate", "fallocate")
FLUSHES = ("fsync", "fdatasync")
NAMES = ("rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat", "mkdir", "mkdirat")
CALLS = (*WRITES, *FLUSHES, *NAMES)


@dataclass(frozen=True)
class Fault:
    """Which call fails, and how."""

    thread: str
    call: str
    #: The N-th such call of the thread, from 1.
    nth: int
    #: `once`, `for good`, `kill`.
    mode: str
    error: str = "EIO"

    def __str__(self) -> str:
        return f"{self.call} {self.nth} of {self.thread}: {self.error if self.mode != 'kill' else ''} {self.mode}"

    @property
    def words(self) -> str:
        """As strace wants it."""
        if self.mode == "kill":
            return f"{self.call}:signal=KILL:when={self.nth}"
        return f"{self.call}:error={self.error}:when={self.nth}{'+' if self.mode == 'for good' else ''}"


class Tap:
    """strace attached to threads of a process, until it is closed or they have ended."""

    def __init__(self, log: Path, threads: list[int], *options: str) -> None:
        self._log = log
        attached = [word for thread in threads for word in ("-p", str(thread))]
        # With `-f` strace takes every thread of the process, and each would count and fail its own calls.
        follow = [] if options else ["-f"]
        traced = ["-y", "-o", str(log), "-e", f"trace={','.join(CALLS)}"]
        command = ["strace", *follow, *traced, *options, *attached]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        for _ in threads:
            told = self._process.stderr.readline()
            assert "attached" in told, f"strace cannot attach: {told}{self._process.stderr.read()}"

    def close(self) -> str:
        """Let go; returns what was seen."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.communicate(timeout=2)
        except subprocess.TimeoutExpired:  # it missed the death of the thread that it held
            self._process.kill()
            self._process.communicate()
        return self._log.read_text()


def calls_on(folder: Path, log: Path, threads: dict[str, int]) -> list[tuple[str, str, int]]:
    """Thread, call and the how-manieth of its thread, for each call on something under `folder`.

    AssertionError where a thread of no known name made one.
    """
    names = {number: name for name, number in threads.items()}
    counted: Counter[tuple[str, str]] = Counter()
    found = []
    for line in log.read_text().splitlines():
        told = re.match(r"(\d+) +(\w+)\(", line)
        if not told:
            continue
        thread, call = names.get(int(told[1]), ""), told[2]
        counted[thread, call] += 1
        if str(folder) in line:
            assert thread, f"a thread that nobody knows changed the store: {line}"
            found.append((thread, call, counted[thread, call]))
    return sorted(found)
