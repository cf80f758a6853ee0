"""docs/api.md does what it says: its commands and programs run in order against a server, and print what they print."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from parts.control import control
from trimtab.adapters.local_store import open_store
from trimtab.testing.example_year import example_year

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "api.md"

BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", flags=re.M | re.S)
PRINTS = re.compile(r"<!-- prints: (.+?) -->")


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page speaks to the server with curl")
def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    store = open_store(tmp_path / "project" / ".trimtab")
    example_year(store, days=5)
    store.close()
    program = tmp_path / "trimtab"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m trimtab "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    page = PAGE.read_text(encoding="utf-8")
    found = list(BLOCK.finditer(page))
    assert len(found) >= 5
    with control(tmp_path / "project") as server:
        environment = os.environ | {
            "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "TRIMTAB_SERVER": server.address,
        }
        for block, end in zip(found, [*(match.start() for match in found[1:]), len(page)], strict=True):
            start = ["sh", "-euc", block[2]] if block[1] == "sh" else [sys.executable, "-c", block[2]]
            ran = subprocess.run(
                start, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
            )
            assert ran.returncode == 0, f"{block[2]}\n{ran.stdout}\n{ran.stderr}"
            for text in PRINTS.findall(page[block.end() : end]):
                assert text in ran.stdout, f"{block[2]}\n{ran.stdout}"
