"""How the program ends: one line for each kind of end, and the exit status that the design gives it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from trimtab.atoms.error import ConfigurationRefused, ModelRefused, TrimtabError, UsageError
from trimtab.cli.program import program

#: Children find the package where this process found it.
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

ENDS: list[tuple[BaseException, int, str]] = [
    (
        UsageError("no column 'late': the table has a, b"),
        2,
        "trimtab: no column 'late': the table has a, b\n",
    ),
    (ModelRefused("not on the list"), 1, "trimtab: not on the list\n"),
    (ConfigurationRefused("no tokens"), 78, "trimtab: no tokens\n"),
    (TrimtabError("two\n  lines"), 1, "trimtab: two lines\n"),
    (KeyboardInterrupt(), 130, ""),
    (ZeroDivisionError("oh"), 70, "trimtab: ZeroDivisionError: oh: this is a defect of Trimtab; "),
]


@pytest.mark.parametrize(("error", "status", "line"), ENDS, ids=lambda each: type(each).__name__)
def test_an_end_is_one_line_and_a_status(
    error: BaseException, status: int, line: str, trimtab: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command()
    def burst() -> None:
        raise error

    monkeypatch.setattr(program, "get_command", lambda context, name: burst)
    ran = trimtab("status")
    assert ran.status == status
    assert ran.out == ""
    assert ran.err.startswith(line)
    assert ran.err.count("\n") <= 1
    assert "Traceback" not in ran.err


def test_a_defect_shows_its_traceback_when_asked(
    trimtab: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command()
    def burst() -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(program, "get_command", lambda context, name: burst)
    monkeypatch.setenv("TRIMTAB_DEBUG", "1")
    ran = trimtab("status")
    assert ran.status == 70
    assert "Traceback" in ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["statsu"], "no command 'statsu'; did you mean 'status'?"),
        (["status", "--nonsense"], "see `trimtab status --help`"),
        (["lineage"], "Missing argument 'ID'"),
        (["up", "data.csv"], "DATA needs --target"),
        (["up", "--target", "late"], "--target needs DATA"),
        (["train", "--set", "leaves"], "'leaves' is not NAME=VALUE"),
        (["release", "--to", "sideways"], "'sideways' is not one of"),
        (["serve", "--serve-port", "70000"], "70000 is not in the range"),
    ],
)
def test_wrong_usage_is_two_and_says_what_to_do(
    arguments: list[str],
    says: str,
    trimtab: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project.py").write_text("import trimtab as tt\nrows = tt.source('rows', 'rows.csv')\n")
    ran = trimtab(*arguments)
    assert ran.status == 2
    assert ran.err.startswith("trimtab: ")
    assert says in ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / ".trimtab").exists()


@pytest.mark.parametrize("name", ["status", "models", "runs", "fsck"])
def test_reading_where_no_store_is_makes_none(name: str, trimtab: Callable[..., Any], tmp_path: Path) -> None:
    ran = trimtab(name, "--store", tmp_path / "none")
    assert ran.status == 2
    assert "there is no store" in ran.err
    assert not (tmp_path / "none").exists()


def test_a_reader_that_goes_away_is_no_error(year_folder: Path) -> None:
    lineage = f"{sys.executable} -m trimtab lineage flights --all --store {year_folder}"
    ran = subprocess.run(
        ["sh", "-c", f"{lineage} | head -n 1"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=ENVIRONMENT,
    )
    assert ran.stdout == "came of\n"
    assert ran.stderr == ""
