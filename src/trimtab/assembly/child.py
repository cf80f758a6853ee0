"""Planes and controllers as child processes that never outlive their parent."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trimtab.atoms.error import TrimtabError

#: Set in a child's environment: its standard input closes when its parent is gone.
WATCH = "TRIMTAB_WATCH_PARENT"
#: What `--store` stands for, in the environment.
STORE = "TRIMTAB_STORE"
#: Files and connections that a plane wants to have open at most.
MOST_OPEN = 8192


@dataclass(slots=True)
class Child:
    """A running module of Trimtab."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def running(self) -> bool:
        """Whether the process still lives."""
        return self.process.poll() is None

    def stop(self, seconds: float = 10.0) -> None:
        """Ask the process to end, and end it after `seconds`."""
        if self.running():
            self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdin:
            with contextlib.suppress(BrokenPipeError):  # it was gone before we were
                self.process.stdin.close()

    def last_words(self, lines: int = 5) -> str:
        """The end of what it wrote."""
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


def start(name: str, module: str, arguments: list[str], log: Path, store: str) -> Child:
    """Run `python -m MODULE ARGUMENTS` as a child that ends with this process; it writes into `log`.

    Args:
        store: Where the store is, which the child finds in its environment: it may hold a password.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    environment = {
        "OMP_NUM_THREADS": "1",
        **os.environ,
        STORE: store,
        WATCH: "1",
        "PYTHONPATH": paths,
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    return Child(name=name, process=process, log=log)


def wait_until_ready(child: Child, ready: Path, seconds: float = 60.0) -> str:
    """Wait for the address that a plane writes into `ready` once it listens.

    Raises:
        TrimtabError: The child ended or was not ready in time; with its last words.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready.exists() and (address := ready.read_text(encoding="utf-8").strip()):
            return address
        if not child.running():
            child.stop()
            raise TrimtabError(f"{child.name} did not start: {child.last_words() or 'it said nothing'}")
        time.sleep(0.02)
    child.stop()
    raise TrimtabError(f"{child.name} was not ready in {seconds:.0f} s; see {child.log}")


@contextmanager
def ending_in_words() -> Iterator[None]:
    """In a child: an error that Trimtab raises on purpose ends it with its sentence and its exit status."""
    try:
        yield
    except TrimtabError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_status)


def end_with_parent() -> None:
    """In a child: ask this process to end when the parent's end of standard input closes."""
    if os.environ.get(WATCH) != "1":
        return

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def open_many_files() -> None:
    """In a child that serves: have as many files and connections open as the system lets this user, up to MOST_OPEN.

    What a shell gives by itself is 256 on some systems, fewer than the requests that are answered at once.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_OPEN if hard == resource.RLIM_INFINITY else min(MOST_OPEN, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
