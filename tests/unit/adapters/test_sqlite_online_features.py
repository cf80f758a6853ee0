"""What the SQLite file adds to the port: refusals."""

import sqlite3
from pathlib import Path

import pytest

from trimtab.adapters.sqlite_online_features import VERSION, SqliteOnlineFeatures
from trimtab.atoms.error import StoreError
from trimtab.ports.online_features import FeatureValue


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "online.sqlite"
    SqliteOnlineFeatures(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match="upgrade"):
        SqliteOnlineFeatures(path)


def test_a_file_of_another_kind_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "online.sqlite"
    path.write_bytes(b"a letter to nobody " * 100)
    with pytest.raises(StoreError, match="not a Trimtab file"):
        SqliteOnlineFeatures(path)
    assert path.read_bytes() == b"a letter to nobody " * 100


def test_after_closing_nothing_is_acknowledged(tmp_path: Path) -> None:
    online = SqliteOnlineFeatures(tmp_path / "online.sqlite")
    online.close()
    online.close()
    with pytest.raises(StoreError, match="closed"):
        online.put("sky", [FeatureValue(entity="JFK", event_time_us=1, values=(1,))])
    with pytest.raises(StoreError, match="closed"):
        online.as_of("sky", [("JFK", 1)])


def test_an_answer_is_one_step_in_an_index(tmp_path: Path) -> None:
    path = tmp_path / "online.sqlite"
    SqliteOnlineFeatures(path).close()
    connection = sqlite3.connect(path)
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT us, body FROM value WHERE view = 1 AND entity = 'a' AND us <= 5 "
        "ORDER BY us DESC LIMIT 1"
    ).fetchall()
    connection.close()
    assert [row[3] for row in plan] == ["SEARCH value USING PRIMARY KEY (view=? AND entity=? AND us<?)"]
