"""The layers hold, and each contract refuses the change that it is there to refuse."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def lint(root: Path) -> tuple[int, str]:
    """Run the contracts over the tree at `root`; exit status and report."""
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as c; c()",
            "--no-logo",
            "--no-cache",
        ],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the source tree and its contracts, to be broken."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def test_every_contract_is_kept() -> None:
    status, report = lint(ROOT)
    assert status == 0, report


BROKEN_ON_PURPOSE = {
    "a stage imports a stage": (
        "loop/train/borrowed.py",
        "from trimtab.loop.evaluate import CARD\n",
        "Stages meet only in atoms",
    ),
    "a stage imports an adapter": (
        "loop/train/borrowed.py",
        "import trimtab.adapters\n",
        "Stages reach neither adapters nor views",
    ),
    "a folder without a layer": ("utils/__init__.py", "", "Each layer knows only the layers below it"),
    "a lower layer imports a higher one": (
        "atoms/upward.py",
        "from trimtab.engine.card import Card\n",
        "Each layer knows only the layers below it",
    ),
    "two neighbours import one another": (
        "views/sideways.py",
        "import trimtab.adapters\n",
        "Each layer knows only the layers below it",
    ),
    "a heavy library in a light layer": (
        "engine/heavy.py",
        "import numpy\n",
        "Heavy libraries stay out of words, seams, motion, memory and faces",
    ),
    "statistics read the clock": ("stats/clocked.py", "import time\n", "Statistics touch no world"),
}


@pytest.mark.parametrize("what", BROKEN_ON_PURPOSE)
def test_a_break_is_refused_by_its_own_contract(what: str, copy: Path) -> None:
    file, text, contract = BROKEN_ON_PURPOSE[what]
    broken = copy / "src" / "trimtab" / file
    broken.parent.mkdir(exist_ok=True)
    broken.write_text(text)
    status, report = lint(copy)
    assert status == 1, report
    refused = [line for line in report.splitlines() if " BROKEN" in line]
    assert any(line.startswith(contract) for line in refused), report
