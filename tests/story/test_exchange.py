"""An MLflow store taken over, compared by MLflow's own client run by run, given back, and compared again."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from parts.control import control

SCRIPT = Path(__file__).parent / "exchange_script.py"
#: Runs, metrics a run, points a metric, parameters a run, files.
SHORT, LONG = (12, 3, 4, 5, 8), (1000, 20, 10, 5, 200)


@dataclass(frozen=True)
class Original:
    """A store that MLflow made."""

    folder: Path
    runs: int

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/mlflow.db"


def mlflow(*arguments: str) -> str:
    """What MLflow, in a process of its own, printed."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def make(folder: Path, size: tuple[int, ...]) -> Original:
    mlflow("make", str(folder), *map(str, size))
    return Original(folder, size[0])


def tell(*addresses: str) -> list[dict[str, Any]]:
    """Everything that MLflow's client says of each store."""
    return [json.loads(line) for line in mlflow("tell", *addresses).splitlines()[-len(addresses) :]]


def trimtab(project: Path, *arguments: str, status: int = 0) -> str:
    """What a command printed."""
    project.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "trimtab", *arguments, "--project", str(project)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return make(tmp_path_factory.mktemp("original"), SHORT)


def _same(original: dict[str, Any], other: dict[str, Any]) -> None:
    assert other["runs"].keys() == original["runs"].keys()
    for run, told in original["runs"].items():
        assert other["runs"][run] == told
    for kind in ("experiments", "models", "registered", "versions"):
        assert other[kind] == original[kind], kind


def _files(folder: Path) -> dict[str, str]:
    """SHA-256 of the files of runs by run and path."""
    return {
        "/".join(path.relative_to(folder).parts[1:]): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "registry" not in path.parts
    }


def _there_and_back(original: Original, folder: Path) -> None:
    project = folder / "project"
    said = trimtab(project, "import", "mlflow", original.url)
    assert "everything was read back and is the same" in said
    said = trimtab(project, "export", "mlflow", str(folder / "back"))
    assert "everything was read back and is the same" in said
    with control(project) as plane:
        wanted, here, back = tell(original.url, plane.address, f"sqlite:///{folder}/back/mlflow.db")
    assert len(wanted["runs"]) == original.runs
    _same(wanted, here)
    _same(wanted, back)
    assert _files(folder / "back" / "mlartifacts") == _files(original.folder / "mlartifacts")
    trimtab(project, "fsck")


def test_a_store_is_taken_over_and_given_back(original: Original, tmp_path: Path) -> None:
    _there_and_back(original, tmp_path)


@pytest.mark.slow
def test_a_store_of_a_thousand_runs_is_taken_over_and_given_back(tmp_path: Path) -> None:
    made = make(tmp_path / "original", LONG)
    began = time.monotonic()
    _there_and_back(made, tmp_path)
    assert time.monotonic() - began < 600


def test_what_is_taken_again_is_only_what_is_new(original: Original, tmp_path: Path) -> None:
    project = tmp_path / "project"
    trimtab(project, "import", "mlflow", original.url)
    again = trimtab(project, "import", "mlflow", original.url)
    for line in again.splitlines():
        words = line.split()
        if words and words[0] in ("runs", "points", "tags", "files", "versions", "parameters", "aliases"):
            assert words[2] == "0", line
    mlflow("more", original.url)
    more = trimtab(project, "import", "mlflow", original.url)
    counts = {line.split()[0]: line.split()[1:] for line in more.splitlines() if len(line.split()) == 4}
    assert counts["points"][1] == "1"
    assert counts["tags"][1] == "1"
    assert "everything was read back and is the same" in more


def test_an_import_that_is_killed_goes_on(original: Original, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    child = subprocess.Popen(
        [sys.executable, "-m", "trimtab", "import", "mlflow", original.url, "--project", str(project)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    ledger = project / ".trimtab"
    deadline = time.monotonic() + 60
    while not (ledger / "streams" / "tracking").exists() and time.monotonic() < deadline:
        if child.poll() is not None:
            break
        time.sleep(0.002)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child.pid, signal.SIGKILL)
    child.wait()
    said = trimtab(project, "import", "mlflow", original.url)
    assert "everything was read back and is the same" in said
    trimtab(project, "fsck")


def test_servers_are_read_and_written(original: Original, tmp_path: Path) -> None:
    first, third = tmp_path / "first", tmp_path / "third"
    trimtab(first, "import", "mlflow", original.url)
    with control(tmp_path / "second") as plane:
        for _ in range(2):
            said = trimtab(first, "export", "mlflow", plane.address)
            assert "everything was read back and is the same" in said
        counts = {line.split()[0]: line.split()[1:] for line in said.splitlines() if len(line.split()) == 4}
        assert {kind: counts[kind][1] for kind in ("runs", "tags", "files", "versions")} == {
            "runs": "0",
            "tags": "0",
            "files": "0",
            "versions": "0",
        }
        said = trimtab(third, "import", "mlflow", plane.address)
        assert "everything was read back and is the same" in said


def test_what_differs_is_told_and_ends_with_one(original: Original, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(original.folder, changed)
    project = tmp_path / "project"
    trimtab(project, "import", "mlflow", f"sqlite:///{changed}/mlflow.db")
    with contextlib.closing(sqlite3.connect(changed / "mlflow.db")) as database:
        run = database.execute("SELECT run_uuid FROM runs WHERE lifecycle_stage = 'active'").fetchone()[0]
        database.execute("UPDATE params SET value = 'another' WHERE run_uuid = ? AND key = 'p0'", (run,))
        database.commit()
    said = trimtab(project, "import", "mlflow", f"sqlite:///{changed}/mlflow.db", status=1)
    assert f"differs: run {run}: parameters 'p0': 'another' there" in said
    assert "NOT everything is the same" in said
