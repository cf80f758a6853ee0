"""A file that is not ours, or newer than we are, is refused and left as it was."""

import sqlite3
from pathlib import Path

import pytest

from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.adapters.sqlite_ledger.schema import VERSION
from trimtab.atoms.error import StoreError
from trimtab.testing.example_record import made


def test_a_newer_ledger_names_its_version_and_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = SqliteLedger(path)
    ledger.append(made(1))
    ledger.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE name = 'version'", (VERSION + 1,))
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=rf"version {VERSION + 1}, .*knows {VERSION}\b.*upgrade"):
        SqliteLedger(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"not a database, but a letter " * 200, b"%PDF-1.7"], ids=["text", "pdf"]
)
def test_a_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="not a Trimtab file"):
        SqliteLedger(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="something else"):
        SqliteLedger(path)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").touch()
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    assert ledger.append(made(1)) == 3
    ledger.close()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        SqliteLedger(tmp_path / "nowhere" / "ledger.sqlite")


@pytest.mark.parametrize("change", ["UPDATE entry SET body = x'00'", "DELETE FROM entry"])
def test_the_file_itself_refuses_to_forget(tmp_path: Path, change: str) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.sqlite")
    ledger.append(made(1))
    ledger.close()
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(change)
    connection.close()
