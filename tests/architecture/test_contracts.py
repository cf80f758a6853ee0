"""The layers hold, and each contract refuses the change that it is there to refuse."""

import os
import re
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


def test_every_contract_is_kept() -> None:
    status, report = lint(ROOT)
    assert status == 0, report


#: What is broken: file, its text, the contract that must refuse it, and how it must name the culprit.
BROKEN_ON_PURPOSE = {
    "a stage imports a stage": (
        "loop/train/borrowed.py",
        "from trimtab.loop.evaluate import CARD\n",
        "Stages meet only in atoms",
        "trimtab.loop.train.borrowed -> trimtab.loop.evaluate",
    ),
    "a stage imports an adapter": (
        "loop/monitor/worldly.py",
        "import trimtab.adapters\n",
        "Stages reach neither adapters nor views",
        "trimtab.loop.monitor.worldly -> trimtab.adapters",
    ),
    "a folder without a layer": (
        "utils/__init__.py",
        "",
        "Each layer knows only the layers below it",
        "- trimtab.utils",
    ),
    "a lower layer imports a higher one": (
        "atoms/upward.py",
        "from trimtab.engine.card import Card\n",
        "Each layer knows only the layers below it",
        "trimtab.atoms.upward -> trimtab.engine.card",
    ),
    "two neighbours import one another": (
        "views/sideways.py",
        "import trimtab.adapters\n",
        "Each layer knows only the layers below it",
        "trimtab.views.sideways -> trimtab.adapters",
    ),
    "a heavy library in a light layer": (
        "engine/heavy.py",
        "import numpy\n",
        "Heavy libraries stay out of words, seams, motion, memory and faces",
        "trimtab.engine.heavy -> numpy",
    ),
    "statistics read the clock": (
        "stats/clocked.py",
        "import time\n",
        "Statistics touch no world",
        "trimtab.stats.clocked -> time",
    ),
}


@pytest.fixture(scope="module")
def broken_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the contracts say of a copy of the tree with every break in it."""
    copy = tmp_path_factory.mktemp("broken")
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", copy)
    for file, text, _, _ in BROKEN_ON_PURPOSE.values():
        broken = copy / "src" / "trimtab" / file
        broken.parent.mkdir(exist_ok=True)
        broken.write_text(text)
    status, report = lint(copy)
    assert status == 1, report
    return report


@pytest.mark.parametrize("what", BROKEN_ON_PURPOSE)
def test_a_break_is_refused_by_its_own_contract(what: str, broken_report: str) -> None:
    _, _, contract, culprit = BROKEN_ON_PURPOSE[what]
    contracts = "|".join({re.escape(contract) for _, _, contract, _ in BROKEN_ON_PURPOSE.values()})
    # Each broken contract explains itself under its underlined name.
    parts = re.split(rf"^({contracts})\n-+\n", broken_report, flags=re.M)
    explained = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert contract in explained, broken_report
    assert culprit in explained[contract], explained[contract]
