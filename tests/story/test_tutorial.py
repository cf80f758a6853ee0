"""docs/tutorial.md does what it says: its files are written and its commands run, in order, for real."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"

#: A block of the page with the comment that stands before it.
BLOCK = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<sort>\w+)\n(?P<text>.*?)^```", flags=re.M | re.S
)
#: What the block before this comment must print.
PRINTS = re.compile(r"<!-- prints: (.+?) -->")


@dataclass
class Block:
    """One piece of the tutorial to carry out."""

    sort: str
    text: str
    file: str | None
    prints: list[str]


def blocks(page: str) -> list[Block]:
    """The page's blocks in order."""
    found = list(BLOCK.finditer(page))
    ends = [match.start() for match in found[1:]] + [len(page)]
    return [
        Block(match["sort"], match["text"], match["file"], PRINTS.findall(page[match.end() : end]))
        for match, end in zip(found, ends, strict=True)
    ]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Reader:
    """Somebody who does what the page says, in one shell after another that remembers its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.here = folder
        programs = folder / "programs"
        programs.mkdir()
        for name, command in (("python", ""), ("trimtab", " -m trimtab")):
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{command} "$@"\n')
            program.chmod(0o755)
        self.environment = os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "OMP_NUM_THREADS": "1",
            "NO_COLOR": "1",
            "COLUMNS": "160",
        }

    def write(self, file: str, text: str) -> None:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, script: str) -> str:
        """Run a block; its output, once it ended well."""
        ran = subprocess.run(
            ["sh", "-euc", f"{script}\npwd >'{self.folder}/here'"],
            cwd=self.here,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
            check=False,
        )
        assert ran.returncode == 0, f"this block ended with {ran.returncode}:\n{script}\n{ran.stdout}"
        self.here = Path((self.folder / "here").read_text().strip())
        return ran.stdout


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path)
    yield reader
    if (tmp_path / "quick").exists():
        reader.here = tmp_path
        reader.run("trimtab down --project quick")


def test_the_tutorial_works_as_it_stands(reader: Reader) -> None:
    if shutil.which("curl") is None:
        assert not os.environ.get("CI"), "the tutorial needs curl"
        pytest.skip("curl is not installed")
    page = TUTORIAL.read_text(encoding="utf-8")
    # Somebody may be at home on the ports that the page shows.
    for port in ("8500", "8600"):
        page = page.replace(port, str(free_port()))
    for block in blocks(page):
        if block.file is not None:
            reader.write(block.file, block.text)
            continue
        assert block.sort == "sh", f"a block that is neither a file nor a command:\n{block.text}"
        printed = reader.run(block.text)
        for words in block.prints:
            assert words in printed, f"{words!r} is not in what this block prints:\n{block.text}\n{printed}"


def test_blocks_are_found_with_what_they_must_print() -> None:
    page = "<!-- file: a.py -->\n```python\nx = 1\n```\n\n```sh\necho hi\n```\n<!-- prints: hi -->\n"
    file, command = blocks(page)
    assert (file.file, file.text, file.prints) == ("a.py", "x = 1\n", [])
    assert (command.sort, command.text, command.prints) == ("sh", "echo hi\n", ["hi"])


def test_the_project_file_of_the_readme_runs() -> None:
    project, _ = _programs_of_the_readme()
    declared: dict[str, object] = {}
    exec(compile(project.text, "README.md", "exec"), declared)
    model = declared["late_arrival"]
    assert getattr(model, "metrics", None) == ("log_loss", "roc_auc")
    assert len(project.text.strip().splitlines()) <= 25


def test_the_experiment_of_the_readme_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, experiment = _programs_of_the_readme()
    monkeypatch.chdir(tmp_path)
    Path("confusion.png").write_bytes(b"a picture")
    exec(compile(experiment.text, "README.md", "exec"), {"train": lambda: [0.5, 0.25]})
    command = [sys.executable, "-m", "trimtab", "runs", "--where", "metrics.loss < 0.4", "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    (run,) = json.loads(ran.stdout)["runs"]
    assert run["experiment_name"] == "late_arrival"
    assert run["parameters"] == {"depth": "7", "rate": "0.1"}


def _programs_of_the_readme() -> list[Block]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [block for block in blocks(text) if block.sort == "python"]
