"""The environment of a training, with the state of the repository around the project."""

import os
import platform
import subprocess
from pathlib import Path

import numpy as np

from trimtab.adapters.environment import capture


def git(folder: Path, *words: str) -> None:
    names = {
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    subprocess.run(
        ["git", "-C", str(folder), *words], check=True, capture_output=True, env={**os.environ, **names}
    )


def repository(folder: Path) -> Path:
    folder.mkdir()
    (folder / "project.py").write_text("x = 1\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_python_platform_and_packages(tmp_path: Path) -> None:
    environment = capture(tmp_path)
    assert environment.python == platform.python_version()
    assert environment.platform == f"{platform.system()} {platform.machine()}"
    assert environment.packages["numpy"] == np.__version__
    assert list(environment.packages) == sorted(environment.packages)


def test_a_folder_without_git(tmp_path: Path) -> None:
    environment = capture(tmp_path / "nowhere")
    assert (environment.git_commit, environment.git_diff) == (None, None)


def test_a_clean_tree_has_a_commit_and_no_diff(tmp_path: Path) -> None:
    environment = capture(repository(tmp_path / "clean"))
    assert environment.git_commit is not None
    assert len(environment.git_commit) == 40
    assert environment.git_diff is None


def test_a_change_has_a_diff_of_its_own(tmp_path: Path) -> None:
    diffs = []
    for place, text in enumerate(["x = 2\n", "x = 3\n"]):
        folder = repository(tmp_path / str(place))
        (folder / "project.py").write_text(text)
        diffs.append(capture(folder).git_diff)
    assert None not in diffs
    assert diffs[0] != diffs[1]


def test_it_is_looked_up_once(tmp_path: Path) -> None:
    folder = repository(tmp_path / "once")
    first = capture(folder)
    (folder / "project.py").write_text("x = 2\n")
    assert capture(folder) is first
