"""Running on in the background: `--detach` and `trimtab down`."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from trimtab.adapters.process_holder import is_dead, this_process
from trimtab.assembly.planes import run_folder
from trimtab.assembly.project import Project
from trimtab.assembly.session import Say
from trimtab.atoms.error import TrimtabError

#: Seconds that a detached start may take: the first one trains a model.
PATIENCE = 900.0


def announce(project: Project, lines: list[str], say: Say) -> None:
    """Say where things are, and leave the same words for whoever started this in the background."""
    folder = run_folder(project)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "supervisor").write_text(this_process(), encoding="utf-8")
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
    place = ["--project", str(project.folder), "--store", str(project.store_folder)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "trimtab", *arguments, *place],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)},
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


def stop_detached(project: Project, seconds: float = 20.0) -> list[str]:
    """Stop what runs for the project; returns what happened, in words."""
    file = run_folder(project) / "supervisor"
    holder = _read(file)
    if holder is None or is_dead(holder):
        return ["nothing runs for this project"]
    number = int(holder.split(":")[1])
    os.kill(number, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_dead(holder):
            file.unlink(missing_ok=True)
            return ["stopped"]
        time.sleep(0.05)
    raise TrimtabError(f"process {number} does not end; see {run_folder(project)}")


def running(project: Project) -> bool:
    """Whether something runs for the project."""
    holder = _read(run_folder(project) / "supervisor")
    return holder is not None and not is_dead(holder)


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8").strip() if file.exists() else None
