"""The environment that a model is trained in, as far as it can change the result."""

import hashlib
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from trimtab.atoms.content.model import Environment

#: Longest that git may take, in seconds: a record is not worth waiting for longer.
_GIT_SECONDS = 20.0


@cache
def capture(root: Path) -> Environment:
    """What this process runs on and what `root` holds, looked up once a process.

    Args:
        root: The project's folder; git is asked about the repository around it, where there is one.
    """
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    diff = (
        _git(root, "diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv", "--no-color")
        if commit
        else None
    )
    return Environment(
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        packages=_packages(),
        git_commit=commit.decode().strip() if commit else None,
        git_diff=hashlib.sha256(diff).hexdigest() if diff else None,
    )


def _packages() -> dict[str, str]:
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name:
            # The first of two on the path is the one that is imported.
            found.setdefault(name.lower().replace("_", "-"), distribution.version)
    return dict(sorted(found.items()))


def _git(root: Path, *words: str) -> bytes | None:
    """What git says; None where there is no git, no repository or no commit."""
    try:
        asked = subprocess.run(
            ["git", "-C", str(root), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return asked.stdout if asked.returncode == 0 else None
