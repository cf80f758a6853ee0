"""The template: a project that works as it is written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trimtab.assembly.project import open_project
from trimtab.assembly.template import ROWS, example_rows, new
from trimtab.atoms.error import UsageError
from trimtab.rows.table import read_files

#: Children find the package where this process found it.
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_what_is_written_is_a_project(tmp_path: Path) -> None:
    folder = tmp_path / "parcels"
    lines = new(folder)
    assert lines[-1].startswith("next: cd ")
    project = open_project(folder)
    assert list(project.models) == ["late_parcel"]
    assert list(project.sources) == ["parcels"]
    assert project.name == "parcels"
    rows = read_files([folder / "data/raw/parcels.csv"])
    assert rows.height == ROWS
    assert set(rows["late"].unique()) == {0, 1}


def test_its_own_test_passes(tmp_path: Path) -> None:
    new(tmp_path / "parcels", "Parcels")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path / "parcels",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=ENVIRONMENT,
    )
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "project.py").write_text("mine")
    with pytest.raises(UsageError, match=r"holds project\.py already"):
        new(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["project.py"]
    with pytest.raises(UsageError, match="is a file"):
        new(tmp_path / "project.py")
    with pytest.raises(UsageError, match="cannot be called"):
        new(tmp_path / "other", 'a"b')


def test_the_rows_are_the_same_each_time() -> None:
    assert example_rows(50) == example_rows(50)
    assert example_rows(50) != example_rows(50, seed=1)
