"""What a run was made with: code, command, packages and machine, looked up in the background of its first second."""

import getpass
import json
import logging
import os
import platform
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from trimtab.adapters.environment import capture
from trimtab.assembly.recording.outlet import Outlet
from trimtab.assembly.recording.redaction import redacted, redacted_command
from trimtab.atoms.error import TrimtabError
from trimtab.atoms.run import COMMIT_TAG, SOURCE_TAG, USER_TAG

_LOG = logging.getLogger("trimtab")
#: Where the packages and the machine are kept.
ENVIRONMENT_FILE = "environment.json"
_BRANCH_TAG = "mlflow.source.git.branch"
_DIRTY_TAG, _DIFF_TAG = "trimtab.git.dirty", "trimtab.git.diff_sha256"
_GIT_SECONDS = 20.0


def first_tags() -> dict[str, str]:
    """What can be told at once: who runs what."""
    notebook = "ipykernel" in sys.modules
    tags = {"mlflow.source.type": "NOTEBOOK" if notebook else "LOCAL"}
    with suppress(KeyError, OSError):
        tags[USER_TAG] = getpass.getuser()
    script = sys.argv[0] if sys.argv and sys.argv[0] not in ("", "-c", "-m") else ""
    if script and not notebook:
        tags[SOURCE_TAG] = redacted(script)
    return tags


def record_surroundings(outlet: Outlet, seeds: dict[str, Any], capture_diff: bool = False) -> None:
    """Add tags of the code's state, and the environment as a file; whatever cannot be told is left out.

    Args:
        seeds: Of the beginning of the run.
        capture_diff: Also keep the changes since the commit, as `code.diff`. They may hold secrets.
    """
    try:
        root = _code_folder()
        found = capture(root)
        tags: dict[str, str | None] = {}
        if found.git_commit:
            branch = _git(root, "symbolic-ref", "--short", "-q", "HEAD").decode("utf-8", "replace").strip()
            tags |= {COMMIT_TAG: found.git_commit, _DIRTY_TAG: "true" if found.git_diff else "false"}
            tags |= {_BRANCH_TAG: branch} if branch else {}
            tags |= {_DIFF_TAG: found.git_diff} if found.git_diff else {}
            outlet.log(tags=tags)
        told = {
            "command": redacted_command(sys.argv),
            "python": found.python,
            "executable": sys.executable,
            "platform": found.platform,
            "release": platform.release(),
            "host": platform.node(),
            "cpus": os.cpu_count(),
            "memory_bytes": psutil.virtual_memory().total,
            "git": {name.rpartition(".")[2]: value for name, value in tags.items()},
            "seeds": seeds,
            "packages": found.packages,
        }
        outlet.put(ENVIRONMENT_FILE, json.dumps(told, indent=1).encode())
        if capture_diff and found.git_diff:
            outlet.put(
                "code.diff", _git(root, "diff", "HEAD", "--no-ext-diff", "--no-textconv", "--no-color")
            )
    except TrimtabError as error:
        _LOG.warning("the surroundings of run %s were not kept: %s", outlet.run, error)
    except Exception:
        _LOG.warning("the surroundings of run %s could not be looked up", outlet.run, exc_info=True)


def _code_folder() -> Path:
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(main).resolve().parent if main and Path(main).exists() else Path.cwd()


def _git(root: Path, *words: str) -> bytes:
    """What git says; nothing where it says no."""
    try:
        asked = subprocess.run(
            ["git", "-C", str(root), *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return asked.stdout if asked.returncode == 0 else b""
