"""Code, command and packages are kept; secrets of the command line and changes of the code are not."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import trimtab
from trimtab.adapters.environment import capture
from trimtab.atoms.run import COMMIT_TAG


@pytest.fixture
def repository(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project is a repository with a change that was not committed, and this process's script lies in it."""

    def git(*words: str) -> None:
        named = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        subprocess.run(["git", *named, *words], cwd=project, check=True, capture_output=True)

    (project / "train.py").write_text("depth = 3\n")
    git("init", "-b", "trunk")
    git("add", ".")
    git("commit", "-m", "first")
    (project / "train.py").write_text("depth = 4  # changed\n")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(project / "train.py"), raising=False)
    monkeypatch.setattr(
        sys, "argv", ["train.py", "--depth", "4", "--api-key", "very-secret", "--token=also-secret"]
    )
    capture.cache_clear()
    return project


def test_the_code_is_named_and_its_changes_are_only_a_digest(repository: Path, book: Any) -> None:
    with trimtab.run(system_metrics=False) as run:
        pass
    tags, files = book.run(run.id).tags, book.files(run.id)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, capture_output=True, text=True, check=True
    )
    assert tags[COMMIT_TAG] == head.stdout.strip()
    assert (tags["mlflow.source.git.branch"], tags["trimtab.git.dirty"]) == ("trunk", "true")
    assert len(tags["trimtab.git.diff_sha256"]) == 64
    assert set(files) == {"environment.json"}
    told = json.loads(files["environment.json"])
    assert told["command"] == ["train.py", "--depth", "4", "--api-key", "***", "--token=***"]
    everything = json.dumps(tags) + files["environment.json"].decode()
    assert "secret" not in everything
    assert "# changed" not in everything


def test_the_changes_are_kept_where_they_are_asked_for(repository: Path, book: Any) -> None:
    with trimtab.run(system_metrics=False, capture="diff") as run:
        pass
    assert b"+depth = 4  # changed" in book.files(run.id)["code.diff"]


def test_nothing_is_captured_where_that_is_said(repository: Path, book: Any) -> None:
    with trimtab.run(system_metrics=False, capture=False) as run:
        pass
    assert set(book.run(run.id).tags) == {"mlflow.runName"}
    assert book.files(run.id) == {}
