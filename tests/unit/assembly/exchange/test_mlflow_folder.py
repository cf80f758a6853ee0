"""File stores as several versions of MLflow leave them, whole and damaged."""

from pathlib import Path

import pytest

from trimtab.assembly.exchange.foreign_place import open_foreign
from trimtab.assembly.exchange.mlflow_folder import FolderStore
from trimtab.atoms.error import UsageError

#: As MLflow 1.30 wrote them.
EXPERIMENT = """\
artifact_location: {place}
creation_time: 1795967291765
experiment_id: '{id}'
last_update_time: 1795967291982
lifecycle_stage: active
name: {name}
tags: {{}}
"""
RUN = """\
artifact_uri: {place}
end_time: 1795967292000
entry_point_name: ''
experiment_id: '{experiment}'
lifecycle_stage: active
name: ''
run_id: {id}
run_uuid: {id}
source_name: ''
source_type: 4
source_version: ''
start_time: 1795967291800
status: 3
tags: []
user_id: ada
"""


def _experiment(root: Path, id: str, name: str, place: str = "./mlruns") -> Path:
    folder = root / id
    folder.mkdir(parents=True)
    (folder / "meta.yaml").write_text(EXPERIMENT.format(id=id, name=name, place=place))
    return folder


def _run(experiment: Path, id: str, place: str = "") -> Path:
    folder = experiment / id
    for part in ("metrics", "params", "tags", "artifacts"):
        (folder / part).mkdir(parents=True)
    place = place or f"./mlruns/{experiment.name}/{id}/artifacts"
    (folder / "meta.yaml").write_text(RUN.format(id=id, experiment=experiment.name, place=place))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    _experiment(tmp_path / "mlruns", "0", "Default")
    return tmp_path / "mlruns"


def test_what_mlflow_1_moved_to_the_trash_is_deleted(root: Path) -> None:
    """Its meta files go on saying that it is active."""
    _run(_experiment(root / ".trash", "2", "gone"), "r2")
    store = FolderStore(root)
    assert {each.name: each.deleted for each in store.experiments()} == {"Default": False, "gone": True}
    assert [(run.id, run.deleted) for some in store.runs() for run in some] == [("r2", True)]


def test_files_that_were_put_elsewhere_are_found_or_told(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    (elsewhere / "r1/artifacts").mkdir(parents=True)
    (elsewhere / "r1/artifacts/model").write_text("m")
    _run(root / "0", "r1", f"file://{elsewhere}/r1/artifacts")
    _run(root / "0", "r2", "s3://bucket/r2/artifacts")
    beside = _run(root / "0", "r3", "s3://bucket/r3/artifacts")
    (beside / "artifacts/kept").write_text("k")
    store = FolderStore(root)
    places = {run.id: run.place for some in store.runs() for run in some}
    with pytest.raises(UsageError, match="name the folder of its files with --artifacts"):
        store.files(places["r1"])
    with pytest.raises(UsageError, match="lies elsewhere"):
        store.files(places["r2"])
    assert [file.path for file in store.files(places["r3"])] == ["kept"]
    named = open_foreign(str(root), elsewhere)
    assert [file.path for file in named.files(places["r1"])] == ["model"]


def test_a_damaged_run_is_told_and_the_others_are_read(root: Path) -> None:
    runs = {id: _run(root / "0", id) for id in ("empty", "gone", "half", "latin", "whole")}
    (runs["empty"] / "meta.yaml").write_text("")
    (runs["gone"] / "meta.yaml").unlink()
    (runs["half"] / "metrics/loss").write_text("1600000000000 0.5 1\n16000")
    (runs["latin"] / "tags/name").write_bytes(b"\xff")
    store = FolderStore(root)
    assert [run.id for some in store.runs() for run in some] == ["whole"]
    told = {
        id: [says for says in store.unread.values() if str(folder) in says] for id, folder in runs.items()
    }
    assert {id: len(says) for id, says in told.items()} == {
        "empty": 1,
        "gone": 1,
        "half": 1,
        "latin": 1,
        "whole": 0,
    }
    assert "has no meta.yaml" in told["gone"][0]


def test_a_file_that_is_named_as_a_folder_is_told_how_to_be(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("x")
    with pytest.raises(UsageError, match=f"give sqlite:///{tmp_path}/mlflow.db"):
        open_foreign(f"{tmp_path}/mlflow.db")
