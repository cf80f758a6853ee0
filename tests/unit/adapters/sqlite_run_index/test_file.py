"""A file that is damaged, older or something else is begun anew; who has it open goes on with the new one."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from trimtab.adapters.sqlite_run_index import file as index_file
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.adapters.sqlite_run_index.schema import VERSION
from trimtab.atoms.error import StoreError
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Field, Order, Query
from trimtab.ports.run_index import Position, RunIndex
from trimtab.testing.run_index_suite import head, record, take


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An index with twenty runs of some points, closed."""
    path = tmp_path / "runs.sqlite"
    index = open_run_index(path)
    for number in range(20):
        points = record(*((f"metric-{place}", step, 1.0, step) for place in range(20) for step in range(20)))
        take(index, head(f"r{number}"), RunEvent(owner=f"r{number}", points=points))
    index.close()
    return path


def read_all(index: RunIndex) -> None:
    for number in range(20):
        index.runs.find(f"r{number}")
        index.runs.points(f"r{number}", "metric-3")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite_head(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"something else entirely")


def overwrite_pages(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        for place in range(8192, size, 4096):
            file.seek(place)
            file.write(b"\xff" * 64)


def change_version(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET version = ?", (VERSION - 1,))
    connection.close()


def put_something_else(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (n)")
    connection.close()


def empty(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize(
    "harm", [cut, overwrite_head, overwrite_pages, change_version, put_something_else, empty, os.unlink]
)
def test_what_is_damaged_older_or_gone_is_begun_anew(path: Path, harm: Callable[[Path], None]) -> None:
    harm(path)
    index = open_run_index(path)
    assert index.position() == Position()
    assert index.runs.find("r1") is None
    take(index, head("again"))
    assert index.runs.find("again") is not None
    index.close()


def test_a_sound_file_is_left_as_it_is(path: Path) -> None:
    before = os.stat(path).st_ino
    index = open_run_index(path)
    assert index.position() == Position(entry=20)
    assert len(index.runs.points("r7", "metric-3")) == 20
    assert os.stat(path).st_ino == before
    index.close()


def test_damage_in_a_large_file_is_found_where_it_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_file, "CHECKED_BYTES", 0)
    overwrite_pages(path)
    index = open_run_index(path)
    with pytest.raises(StoreError, match="made again"):
        read_all(index)
    assert index.position() == Position()
    take(index, head("again"))
    assert index.runs.find("again") is not None
    index.close()


def test_damage_that_a_take_meets_is_begun_anew_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_file, "CHECKED_BYTES", 0)
    overwrite_pages(path)
    index = open_run_index(path)
    with pytest.raises(StoreError, match="made again"):
        take(index, *(RunEvent(owner=f"r{number}", tags={"a": "1"}) for number in range(20)))
    assert index.position() == Position()
    index.close()


def test_a_card_that_cannot_be_read_is_damage(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE card SET metrics = ?", (b"\xc1",))
    connection.close()
    index = open_run_index(path)
    with pytest.raises(StoreError, match="made again"):
        index.runs.find("r1")
    assert index.position() == Position()
    index.close()


def test_points_that_cannot_be_read_are_no_damage_of_the_file(path: Path) -> None:
    index = open_run_index(path)
    for harmed in (b"\0", b"\xff", record(("loss", 1, 1.0, 1)).replace(b"loss", b"\xff" * 4)):
        with pytest.raises(StoreError, match=r"no metric points|not known"):
            take(index, RunEvent(owner="r1", points=harmed))
    assert index.position() == Position(entry=20)
    index.close()


def test_who_has_it_open_goes_on_with_the_file_that_takes_its_place(path: Path) -> None:
    old = open_run_index(path)
    assert old.runs.find("r1") is not None
    take(old, RunEvent(owner="r1", parameters={"a": "1"}))
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
    new = open_run_index(path)
    take(new, head("other"), RunEvent(owner="other", parameters={"b": "2"}))
    assert old.position() == new.position() == Position(entry=1)
    # Numbers of the old file are not taken for those of the new one.
    take(old, head("r1"), RunEvent(owner="r1", parameters={"c": "3"}, points=record(("loss", 1, 1.0, 1))))
    for index in (old, new):
        assert index.runs.find("r1").parameters == {"c": "3"}  # type: ignore[union-attr]
        assert index.runs.find("other").parameters == {"b": "2"}  # type: ignore[union-attr]
        assert len(index.runs.points("r1", "loss")) == 1
        index.close()


def test_a_question_that_takes_too_long_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = open_run_index(path)
    with monkeypatch.context() as patched:
        patched.setattr(index_file, "ANSWER_SECONDS", -1.0)
        patched.setattr(index_file, "_STEPS", 10)
        with pytest.raises(StoreError, match="given up"):
            index.runs.search(Query(order=(Order(field=Field.METRIC, key="metric-1"),)))
    assert index.runs.count(Query()) == 20
    index.close()


def test_a_closed_index_says_so(path: Path) -> None:
    index = open_run_index(path)
    index.close()
    index.close()
    with pytest.raises(StoreError, match="closed"):
        index.position()
    with pytest.raises(StoreError, match="closed"):
        index.take([], after=Position(), upto=Position())


def test_what_cannot_be_opened_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "runs.sqlite").mkdir()
    with pytest.raises(StoreError, match="cannot be opened"):
        open_run_index(tmp_path / "runs.sqlite")
    assert (tmp_path / "runs.sqlite").is_dir()
