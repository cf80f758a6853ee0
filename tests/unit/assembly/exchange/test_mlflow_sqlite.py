"""MLflow's databases of several versions, and files that lie where they may be read."""

import math
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from trimtab.assembly.exchange.artifact_place import ArtifactPlace
from trimtab.assembly.exchange.foreign_place import open_foreign
from trimtab.assembly.exchange.mlflow_sqlite import SqliteStore
from trimtab.atoms.error import UsageError
from trimtab.atoms.run import RunStatus

#: As MLflow 2.0 made it: no data sets, no logged models, no aliases, no moments of experiments' updates.
OLD = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT, lifecycle_stage TEXT);
CREATE TABLE experiment_tags (key TEXT, value TEXT, experiment_id INTEGER);
CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, user_id TEXT, status TEXT, start_time INTEGER,
    end_time INTEGER, lifecycle_stage TEXT, artifact_uri TEXT, experiment_id INTEGER);
CREATE TABLE params (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE tags (key TEXT, value TEXT, run_uuid TEXT);
CREATE TABLE metrics (key TEXT, value REAL, timestamp INTEGER, step INTEGER, is_nan INTEGER, run_uuid TEXT);
CREATE TABLE registered_models (name TEXT, creation_time INTEGER, last_updated_time INTEGER, description TEXT);
CREATE TABLE model_versions (name TEXT, version INTEGER, creation_time INTEGER, last_updated_time INTEGER,
    description TEXT, current_stage TEXT, source TEXT, run_id TEXT);
INSERT INTO experiments VALUES (0, 'Default', './mlruns/0', 'active');
INSERT INTO runs VALUES ('r1', 'first', 'ada', 'KILLED', 5, NULL, 'deleted', './mlruns/0/r1/artifacts', 0);
INSERT INTO params VALUES ('depth', '3', 'r1');
INSERT INTO metrics VALUES ('loss', 0.0, 7, 1, 1, 'r1'), ('loss', 0.5, 6, 0, 0, 'r1');
INSERT INTO registered_models VALUES ('wind', 1, NULL, NULL);
INSERT INTO model_versions VALUES ('wind', 1, 2, NULL, NULL, 'Production', './mlruns/0/r1/artifacts/m', 'r1'),
    ('wind', 2, 2, NULL, NULL, 'Deleted_Internal', 'REDACTED', 'REDACTED');
"""

#: A logged model as MLflow 3 has one, measured by a run with what is no number, and with 0.
LOGGED = """
CREATE TABLE logged_models (model_id TEXT, experiment_id INTEGER, name TEXT, artifact_location TEXT,
    creation_timestamp_ms INTEGER, last_updated_timestamp_ms INTEGER, status INTEGER, lifecycle_stage TEXT,
    model_type TEXT, source_run_id TEXT, status_message TEXT);
CREATE TABLE logged_model_metrics (model_id TEXT, metric_name TEXT, metric_timestamp_ms INTEGER, metric_step INTEGER,
    metric_value REAL, experiment_id INTEGER, run_id TEXT, dataset_name TEXT, dataset_digest TEXT);
INSERT INTO logged_models VALUES ('m-1', 0, 'm', '', 1, 1, 2, 'active', '', 'r1', '');
INSERT INTO logged_model_metrics VALUES ('m-1', 'loss', 7, 1, 0.0, 0, 'r1', NULL, NULL),
    ('m-1', 'loss', 8, 2, 0.0, 0, 'r1', NULL, NULL);
"""


@pytest.fixture
def old(tmp_path: Path) -> SqliteStore:
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.executescript(OLD)
    (tmp_path / "mlruns/0/r1/artifacts/m").mkdir(parents=True)
    (tmp_path / "mlruns/0/r1/artifacts/m/MLmodel").write_text("x")
    return SqliteStore(tmp_path / "mlflow.db")


def test_an_older_database_is_read_as_far_as_it_goes(old: SqliteStore) -> None:
    ((run,),) = old.runs()
    assert (run.status, run.deleted, run.started_ms, run.ended_ms) == (RunStatus.KILLED, True, 5, None)
    assert run.tags == {"mlflow.runName": "first", "mlflow.user": "ada"}
    assert run.parameters == {"depth": "3"}
    first, second = run.points
    assert first == ("loss", 0, 0.5, 6000)
    assert (second.step, math.isnan(second.value), second.at_us) == (1, True, 7000)
    assert [file.path for file in old.files(run.place)] == ["m/MLmodel"]
    (model,) = old.registered()
    assert [(version.number, version.stage) for version in model.versions] == [(1, "Production")]
    assert (old.models(), model.aliases, old.experiments()[0].created_ms) == ([], {}, 0)
    assert old.overview().runs == 1


def test_reading_changes_nothing(old: SqliteStore, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    list(old.runs())
    old.registered()
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_another_database_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        database.execute("CREATE TABLE runs (a)")
    with pytest.raises(UsageError, match="no table experiments"):
        SqliteStore(tmp_path / "other.db")
    (tmp_path / "text.db").write_text("no database at all, but long enough to look at" * 10)
    with pytest.raises(UsageError, match="cannot be read as MLflow's database"):
        SqliteStore(tmp_path / "text.db")


@pytest.mark.parametrize("place", ["/etc", "file:///etc", "../outside", "mlflow-artifacts:/../outside"])
def test_files_outside_of_the_store_are_not_read(tmp_path: Path, place: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("s")
    root = tmp_path / "store"
    root.mkdir()
    with pytest.raises(UsageError, match="outside of the store's folder"):
        ArtifactPlace(root).files(place)


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "store"
    (root / "mlruns/0/r/artifacts").mkdir(parents=True)
    (tmp_path / "secret").write_text("s")
    folder = root / "mlruns/0/r/artifacts"
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "out").symlink_to(tmp_path)
    (folder / "dangling").symlink_to("nothing")
    (folder / "good").write_text("g")
    os.mkfifo(folder / "pipe")
    files = {file.path: file for file in ArtifactPlace(root).files("mlruns/0/r/artifacts")}
    assert list(files) == ["dangling", "good", "link", "out", "pipe"]
    assert b"".join(files["good"].read()) == b"g"
    for path, why in {
        "link": "leads out of",
        "out": "leads out of",
        "dangling": "to nothing",
        "pipe": "is no file",
    }.items():
        with pytest.raises(UsageError, match=why):
            list(files[path].read())


def test_a_point_of_a_logged_model_that_is_no_number_is_none(old: SqliteStore, tmp_path: Path) -> None:
    """MLflow keeps 0 there, and says in the run alone that it is none."""
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.executescript(LOGGED)
    (model,) = SqliteStore(tmp_path / "mlflow.db").models()
    ((_, _, value, _), (_, _, other, _)) = model.points[0].points
    assert math.isnan(value)
    assert other == 0.0


def test_runs_come_in_portions_of_few_points(
    old: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        for number in range(2, 6):
            run = f"r{number}"
            database.execute("INSERT INTO runs VALUES (?, '', '', 'FINISHED', 5, 6, 'active', '', 0)", (run,))
            database.execute("INSERT INTO metrics VALUES ('loss', 1, 1, 1, 0, ?)", (run,))
        database.commit()
    monkeypatch.setattr("trimtab.assembly.exchange.mlflow_sqlite.POINTS_AT_ONCE", 2)
    assert [[run.id for run in some] for some in old.runs()] == [["r1"], ["r2", "r3"], ["r4", "r5"]]


def test_files_of_a_store_that_was_moved_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "mlartifacts/3/abc/artifacts"
    folder.mkdir(parents=True)
    (folder / "a").write_text("x")
    for place in ("/srv/mlruns/3/abc/artifacts", "file:///elsewhere/3/abc/artifacts"):
        assert [file.path for file in ArtifactPlace(tmp_path).files(place)] == ["a"]
    with pytest.raises(UsageError, match="lies elsewhere"):
        ArtifactPlace(tmp_path).files("s3://bucket/3/abc/artifacts")


@pytest.mark.parametrize("uri", ["postgresql://h/d", "sqlite:///nowhere.db", "nowhere", "http://", "ftp://x"])
def test_what_is_no_store_is_refused_in_words(uri: str) -> None:
    with pytest.raises(UsageError):
        open_foreign(uri)
