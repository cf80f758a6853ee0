"""Workers that are killed, whose calls fail and whose disks fill; each test proves that its fault fired."""

import os
import random
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
