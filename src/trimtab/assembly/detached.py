"""Running on in the background: `--detach` and `trimtab down`."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trimtab.adapters.file_lock import hold, holder_of
from trimtab.adapters.process_holder import is_dead
from trimtab.assembly.child import STORE
from trimtab.assembly.planes import run_folder
from trimtab.assembly.project import Project
from trimtab.assembly.session import Say
from trimtab.atoms.error import TrimtabError, UsageError

#: Seconds that a detached start may take: the first one trains a model.
PATIENCE = 900.0


def announce(project: Project, lines: list[str], say: Say) -> None:
    """Say where things are, and leave the same words for whoever started this in the background."""
    folder = run_folder(project)
    draft = folder / "announced.tmp"
    draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
    draft.replace(folder / "announced")
    for line in lines:
        say(line)


def detach_this(project: Project, arguments: list[str], say: Say) -> None:
    """Start `trimtab ARGUMENTS` in the background and return when it has announced itself.

    Raises:
        TrimtabError: It ended before; with what it said.
    """
    folder = run_folder(project)
    folder.mkdir(parents=True, exist_ok=True)
    announced, log = folder / "announced", folder / "supervisor.log"
    with contextlib.suppress(FileNotFoundError):
        announced.unlink()
    place = ["--project", str(project.folder)]
    paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "trimtab", *arguments, *place],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, STORE: project.place.words, "PYTHONPATH": paths},
        )
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if announced.exists():
            for line in announced.read_text(encoding="utf-8").splitlines():
                say(line)
            say("running in the background; `trimtab down` stops it")
            return
        if process.poll() is not None:
            words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise TrimtabError("\n".join(words[-5:]).removeprefix("trimtab: ") or "it ended without a word")
        time.sleep(0.05)
    raise TrimtabError(f"not ready after {PATIENCE:.0f} s; see {log}")


@contextmanager
def alone(project: Project) -> Iterator[None]:
    """Be the only server on the project's store while the block runs.

    Raises:
        UsageError: Another one runs; the message names its process.
    """
    with hold(_lock(project)) as held:
        if not held:
            refuse_second(project)
            raise UsageError(f"another server has just started on {project.store_folder}")
        yield


def refuse_second(project: Project) -> None:
    """Raise UsageError where a server runs on the project's store already."""
    holder = holder_of(_lock(project))
    if holder is not None:
        number = [*holder.split(":"), "?", "?"][1]
        raise UsageError(
            f"a server runs on {project.store_folder} already (process {number}), and a store has one: "
            "`trimtab down` stops it"
        )


def stop_detached(project: Project, seconds: float = 20.0) -> list[str]:
    """Stop what runs for the project; returns what happened, in words."""
    lock = _lock(project)
    holder = holder_of(lock)
    if not holder or is_dead(holder):
        return ["nothing runs for this project"]
    number = int(holder.split(":")[1])
    os.kill(number, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holder_of(lock) is None or is_dead(holder):
            return ["stopped"]
        time.sleep(0.05)
    raise TrimtabError(f"process {number} does not end; see {run_folder(project)}")


def _lock(project: Project) -> Path:
    return run_folder(project) / "supervisor"
