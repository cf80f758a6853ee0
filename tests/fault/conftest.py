"""Workers that are killed, whose calls fail and whose disks fill; each test proves that its fault fired."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

#: The programs of these tests; importable by name beside the tests.
sys.path.append(str(Path(__file__).parent / "rig"))


@pytest.fixture
def dice() -> random.Random:
    """Chance, whose seed is shown where the test fails; `TRIMTAB_SEED` repeats it."""
    seed = int(os.environ.get("TRIMTAB_SEED", random.randrange(10**6)))
    sys.stdout.write(f"TRIMTAB_SEED={seed}\n")
    return random.Random(seed)


@pytest.fixture(scope="module")
def tracing() -> None:
    """strace can attach to a process of this user."""
    said = "no strace: apt install strace"
    if shutil.which("strace"):
        with subprocess.Popen(["sleep", "20"]) as sleeper:
            try:
                tried = subprocess.run(
                    ["timeout", "-s", "INT", "0.2", "strace", "-p", str(sleeper.pid)],
                    capture_output=True,
                    text=True,
                    check=False,
                )
            finally:
                sleeper.kill()
        if "attached" in tried.stderr:
            return
        said = f"strace cannot attach here: {tried.stderr.strip()}"
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)
