"""What a user gets wrong: one clear message that names the thing, status 1 or 2, no traceback, nothing changed."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

GOOD = "a,b,late\n" + "".join(f"{n % 7},{n % 5},{int(n % 3 == 0)}\n" for n in range(60))


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A `trimtab` command in a folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB")}
    return subprocess.run(
        [sys.executable, "-m", "trimtab", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes, but compiled modules."""
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def refused(folder: Path, words: str, *arguments: str) -> None:
    """The command ends with 1 or 2 and one message with these words, and leaves the folder as it was."""
    before = tree(folder)
    done = run(folder, *arguments)
    said = done.stderr + done.stdout
    assert done.returncode in (1, 2), said
    assert words in said, said
    assert "Traceback" not in said, said
    assert tree(folder) == before


CASES: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "missing file": (lambda path: None, "late", "no such file"),
    "empty file": (lambda path: path.write_bytes(b""), "late", "empty"),
    "header only": (lambda path: path.write_text("a,late\n"), "late", "no row"),
    "duplicate columns": (lambda path: path.write_text("a,a,late\n1,2,0\n1,3,1\n"), "late", "'a'"),
    "no such target": (lambda path: path.write_text(GOOD), "soon", "'soon'"),
    "one class": (lambda path: path.write_text(GOOD.replace(",1\n", ",0\n")), "late", "one class"),
    "not UTF-8": (lambda path: path.write_bytes(b"a,late\n\xff\xfe,1\nx,0\n"), "late", "UTF-8"),
    "target alone": (
        lambda path: path.write_text("late\n" + "0\n1\n" * 30),
        "late",
        "nothing to predict from",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_table_is_named_and_nothing_is_written(tmp_path: Path, case: str) -> None:
    make, target, words = CASES[case]
    make(tmp_path / "data.csv")
    refused(tmp_path, words, "up", "data.csv", "--target", target, "--port", "0", "--serve-port", "0")


def test_a_parquet_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "data.parquet").write_bytes(b"not a table at all")
    refused(
        tmp_path, "data.parquet", "up", "data.parquet", "--target", "late", "--port", "0", "--serve-port", "0"
    )


def test_a_port_in_use(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(GOOD)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused(tmp_path, port, "up", "data.csv", "--target", "late", "--port", port, "--serve-port", "0")
        refused(tmp_path, port, "up", "data.csv", "--target", "late", "--port", "0", "--serve-port", port)


def test_a_foreign_address_is_a_refused_configuration(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(GOOD)
    before = tree(tmp_path)
    done = run(tmp_path, "up", "data.csv", "--target", "late", "--host", "0.0.0.0")
    assert done.returncode == 78
    assert "0.0.0.0" in done.stderr
    assert tree(tmp_path) == before


def project(folder: Path, body: str, rows: pl.DataFrame | None = None) -> None:
    """A project with this file and a small table."""
    (folder / "trimtab.toml").write_text('[project]\nname = "bad"\n')
    (folder / "project.py").write_text(body)
    (rows if rows is not None else pl.read_csv(GOOD.encode())).write_csv(folder / "data.csv")


HEAD = "import trimtab as tt\nrows = tt.source('rows', 'data.csv'{more})\n"


def test_a_project_file_that_raises_is_told_with_its_line(tmp_path: Path) -> None:
    project(tmp_path, HEAD.format(more="") + "\nprint(1 / 0)\n")
    refused(tmp_path, "project.py:4", "ingest")


def test_a_date_that_does_not_parse_is_told_with_its_column(tmp_path: Path) -> None:
    table = pl.DataFrame({"at": ["2024-01-01", "2024-01-02", "soon"], "late": [0, 1, 0]})
    project(tmp_path, HEAD.format(more=", event_time='at'"), table)
    done = run(tmp_path, "ingest")
    assert done.returncode in (1, 2)
    assert "'at'" in done.stderr
    assert "soon" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_setting_that_does_not_exist_is_named(tmp_path: Path) -> None:
    project(tmp_path, HEAD.format(more=""))
    (tmp_path / "trimtab.toml").write_text("[serve]\nprot = 8600\n")
    refused(tmp_path, "prot", "status")


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    project(tmp_path, HEAD.format(more=""))
    assert run(tmp_path, "ingest").returncode == 0
    (tmp_path / ".trimtab" / "version").write_text("99\n")
    refused(tmp_path, "99", "status")


def test_a_thousand_columns_with_nan_and_infinities_are_ordinary(tmp_path: Path) -> None:
    columns = {f"c{place}": [float(place * row % 11) for row in range(40)] for place in range(1000)}
    columns["c0"][0], columns["c1"][1], columns["c2"][2] = float("nan"), float("inf"), float("-inf")
    project(tmp_path, HEAD.format(more=""), pl.DataFrame(columns))
    done = run(tmp_path, "ingest")
    assert done.returncode == 0, done.stderr
    done = run(tmp_path, "validate")
    assert done.returncode == 0, done.stderr


def test_the_limit_on_duplicates_is_the_projects(tmp_path: Path) -> None:
    """One row in sixty has a key that was there before: over the default limit, and under a wider one."""
    rows = pl.DataFrame({"id": [*range(59), 0], "late": [0, 1] * 30})
    project(tmp_path, HEAD.format(more=", key='id'"), rows)
    assert run(tmp_path, "ingest").returncode == 1
    (tmp_path / "trimtab.toml").write_text("[validate]\nmax_duplicates = 0.1\n")
    assert run(tmp_path, "ingest", "--store", str(tmp_path / "other")).returncode == 0
