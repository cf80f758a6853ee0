"""What an import counts and tells of a store, the first time and again."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from trimtab.adapters.local_store import open_store
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.assembly.exchange.account import Account
from trimtab.assembly.exchange.mlflow_folder import FolderStore
from trimtab.assembly.exchange.own_store import OwnStore
from trimtab.assembly.exchange.same_store import SameStore
from trimtab.assembly.exchange.take_over import take_over
from trimtab.assembly.exchange.version_intake import GONE
from trimtab.tracking.tracking import Tracking, open_tracking

EXPERIMENT = "experiment_id: '{id}'\nname: {name}\nlifecycle_stage: active\n"
RUN = "run_id: r1\nexperiment_id: '1'\nstatus: {status}\nstart_time: 5\nend_time: {end}\nlifecycle_stage: active\n"
MODEL = "name: wind\ncreation_timestamp: 1\nlast_updated_timestamp: 1\n"
VERSION = "version: {number}\ncreation_timestamp: 1\nlast_updated_timestamp: 1\nsource: {source}\n"


@pytest.fixture
def tracking(tmp_path: Path) -> Iterator[Tracking]:
    with closing(open_store(tmp_path / "store")) as store:
        yield open_tracking(store, open_run_index(tmp_path / "runs.sqlite"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "mlruns"
    _write(root / "1/meta.yaml", EXPERIMENT.format(id=1, name="e"))
    _write(root / "1/r1/meta.yaml", RUN.format(status=1, end="null"))
    _write(root / "1/r1/metrics/loss", "10 0.5 1\n10 0.5 1\n20 nan 2\n20 nan 2\n30 -inf -3\n")
    _write(root / "1/r1/artifacts/model/MLmodel", "flavors")
    return root


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _versions(root: Path, *sources: str) -> None:
    _write(root / "models/wind/meta.yaml", MODEL)
    for number, source in enumerate(sources, start=1):
        _write(root / f"models/wind/version-{number}/meta.yaml", VERSION.format(number=number, source=source))


def _take(tracking: Tracking, root: Path) -> Account:
    return take_over(tracking, FolderStore(root), by="person:ada")


def test_a_point_that_is_there_twice_is_one(tracking: Tracking, root: Path) -> None:
    account = _take(tracking, root)
    line = account.lines["points"]
    assert (line.there, line.taken, line.same, account.whole) == (3, 3, 3, True)


def test_only_points_that_are_new_are_written(tracking: Tracking, root: Path) -> None:
    _take(tracking, root)
    with (root / "1/r1/metrics/loss").open("a") as metric:
        metric.write("40 7 4\n")
    account = _take(tracking, root)
    assert account.lines["points"].taken == 1
    assert account.whole


def test_a_version_has_the_files_that_its_source_means(tracking: Tracking, root: Path) -> None:
    _versions(root, "runs:/r1/model", "models:/wind/1", "/elsewhere/1/r1/artifacts/model", "models:/wind/4")
    (told,) = _take(tracking, root).differences
    assert told.startswith("version 4 of 'wind': its files were not taken over: 'models:/wind/4'")
    versions = tracking.registry.models.find("wind").versions
    for version in versions[:3]:
        (file,) = tracking.registry.versions.files(version.files)
        assert (file.path, b"".join(tracking.files.read(file))) == ("MLmodel", b"flavors")
    assert versions[3].files == ""


def test_versions_whose_source_is_gone_are_counted(tracking: Tracking, root: Path) -> None:
    _versions(root, "runs:/r1/model", "runs:/r1/nothing", "/nowhere/at/all")
    account = _take(tracking, root)
    assert (account.left, account.whole) == ({GONE: 2}, True)


def test_a_prompt_has_no_files(tracking: Tracking, root: Path) -> None:
    _versions(root, "dummy-source")
    _write(root / "models/wind/tags/mlflow.prompt.is_prompt", "true")
    account = _take(tracking, root)
    assert (account.left, account.whole) == ({}, True)


def test_a_version_without_files_is_the_same_in_both_stores(tracking: Tracking, root: Path) -> None:
    """Its source is told as it is, and is no place at which a store could read files."""
    _versions(root, "runs:/r1/nothing")
    _take(tracking, root)
    target = FolderStore(root)
    account = Account("this store", target.shown)
    SameStore(account, OwnStore(tracking), target).registered(target.registered())
    assert account.whole, account.differences
    assert account.lines["versions"].same == 1


def test_files_of_a_version_that_cannot_be_reached_are_told_each_time(tracking: Tracking, root: Path) -> None:
    _versions(root, "s3://bucket/model")
    for _ in range(2):
        account = _take(tracking, root)
        assert not account.whole
        assert "'s3://bucket/model' lies elsewhere" in account.differences[0]


def test_a_file_that_cannot_be_read_leaves_the_others_of_its_run(tracking: Tracking, root: Path) -> None:
    (root / "1/r1/artifacts/link").symlink_to("/etc")
    account = _take(tracking, root)
    line = account.lines["files"]
    assert (line.there, line.taken, line.same) == (2, 1, 1)
    assert "leads out of" in account.differences[0]


def test_damage_is_told_and_does_not_stop_the_import(tracking: Tracking, root: Path) -> None:
    _write(root / "1/r2/meta.yaml", "")
    _write(root / "1/r3/params/depth", "3")
    _write(root / "2/meta.yaml", "- no experiment")
    account = _take(tracking, root)
    assert not account.whole
    assert account.lines["runs"].same == 1
    assert [sum(name in says for says in account.differences) for name in ("r2", "r3", "/2/")] == [1, 1, 1]


def test_runs_of_an_experiment_that_mlflow_1_deleted_are_the_same_again(
    tracking: Tracking, root: Path
) -> None:
    (root / ".trash").mkdir()
    (root / "1").rename(root / ".trash/1")
    _write(root / "0/meta.yaml", EXPERIMENT.format(id=0, name="Default"))
    for _ in range(2):
        assert _take(tracking, root).whole
    assert tracking.runs.find("r1").head.deleted
