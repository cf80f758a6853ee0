"""Files of runs and logged models stay for as long as anybody may ask for them, and not for ever."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from trimtab.adapters.local_store import open_store
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.assembly.store_place import StorePlace
from trimtab.assembly.tracking_place import INDEX_FILE
from trimtab.assembly.upkeep.backup import back_up
from trimtab.assembly.upkeep.backup_place import open_backup_place
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.assembly.upkeep.garbage import Freed, collect_garbage
from trimtab.assembly.upkeep.restore import restore
from trimtab.atoms.actor import Actor
from trimtab.atoms.error import Damaged, StoreError
from trimtab.atoms.run import LoggedFile, ModelStatus, RunStatus
from trimtab.atoms.run_event import STREAM, RunEvent
from trimtab.engine.engine import Engine
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.tracking.file import PIECE_BYTES
from trimtab.tracking.tracking import Tracking, open_tracking

ADA = Actor(by="person:ada")
HOURS = 3 * 3600.0
SetBack = Callable[[Path, float], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def tracking(folder: Path) -> Iterator[Tracking]:
    store = open_store(folder)
    index = open_run_index(folder / INDEX_FILE)
    yield open_tracking(store, index)
    index.close()
    store.close()


@pytest.fixture
def run(tracking: Tracking) -> str:
    return tracking.runs.open(by=ADA).head.id


def collect(tracking: Tracking, older: timedelta | None = None) -> Freed:
    return collect_garbage(tracking.store, by="person:ada", older=older)


def is_there(tracking: Tracking, file: LoggedFile) -> bool:
    found = {tracking.store.blobs.find(blob) is not None for blob in file.blobs}
    assert len(found) == 1
    return found.pop()


def test_files_of_an_open_run_stay_whatever_the_index_says(
    tracking: Tracking, run: str, folder: Path, set_back: SetBack
) -> None:
    file = tracking.files.put(run, "a", [b"content"])
    model = tracking.models.create("0", by=ADA).head.id
    other = tracking.files.put(model, "MLmodel", [b"flavors"])
    orphan = tracking.store.blobs.put(b"nobody's")
    (folder / INDEX_FILE).write_bytes(b"rubbish")
    set_back(folder, HOURS)
    assert collect(tracking).blobs == 1
    assert tracking.store.blobs.find(orphan) is None
    assert is_there(tracking, file)
    assert is_there(tracking, other)
    assert fsck(tracking.store, strict=True).problems == []


def test_an_open_run_holds_nothing_up(tracking: Tracking, run: str, folder: Path, set_back: SetBack) -> None:
    """Neither is it closed as a dead process's step, nor does everything stay that was put since it began."""
    old = tracking.runs.open(by=ADA, started_ms=0).head.id
    tracking.store.blobs.put(b"nobody's")
    set_back(folder, HOURS)
    assert collect(tracking).blobs == 1
    assert Engine(tracking.store).tidy() == 0
    found = fsck(tracking.store, strict=True)
    assert (found.problems, found.open_actions) == ([], [])
    assert tracking.runs.find(old).head.status is RunStatus.RUNNING


def test_what_was_replaced_or_removed_goes(
    tracking: Tracking, run: str, folder: Path, set_back: SetBack
) -> None:
    first, last = tracking.files.put(run, "a", [b"first"]), tracking.files.put(run, "a", [b"last"])
    gone, kept = tracking.files.put(run, "d/x", [b"gone"]), tracking.files.put(run, "dx", [b"kept"])
    tracking.files.remove(run, "d")
    back = tracking.files.put(run, "d/y", [b"back"])
    set_back(folder, HOURS)
    assert collect(tracking).blobs == 2
    assert [is_there(tracking, file) for file in (first, last, gone, kept, back)] == [
        False,
        True,
        False,
        True,
        True,
    ]


def test_pieces_of_an_upload_stay_for_as_long_as_it_may_take(
    tracking: Tracking, run: str, folder: Path, set_back: SetBack
) -> None:
    upload = tracking.files.begin(run, "big")
    upload.write(b"x" * (PIECE_BYTES + 1))
    set_back(folder, HOURS)
    assert collect(tracking).blobs == 0
    found = fsck(tracking.store, strict=True)
    assert (found.problems, found.orphans) == ([], [])
    file = upload.finish()
    assert len(b"".join(tracking.files.read(file))) == PIECE_BYTES + 1


def test_files_of_a_deleted_run_stay_until_somebody_gives_old_things_up(
    tracking: Tracking, run: str, folder: Path, set_back: SetBack
) -> None:
    ended, model = tracking.runs.open(by=ADA).head.id, tracking.models.create("0", by=ADA).head.id
    shared = tracking.files.put(run, "a", [b"shared"])
    live = tracking.runs.open(by=ADA).head.id
    tracking.files.put(live, "b", [b"shared"])
    files = [tracking.files.put(owner, "a", [owner.encode()]) for owner in (run, ended, model)]
    tracking.runs.close(ended, RunStatus.FINISHED, by=ADA)
    tracking.models.finish(model, ModelStatus.READY, by=ADA)
    tracking.runs.set_deleted(run, True, by=ADA)
    tracking.runs.set_deleted(ended, True, by=ADA)
    tracking.models.delete(model, by=ADA)
    set_back(folder, HOURS)
    assert collect(tracking).blobs == 0
    assert collect(tracking, older=timedelta(days=1)).blobs == 0
    freed = collect(tracking, older=timedelta(0))
    assert (freed.blobs, freed.forgotten) == (3, 2)
    assert [is_there(tracking, file) for file in files] == [False, False, False]
    assert is_there(tracking, shared)
    assert fsck(tracking.store, strict=True).problems == []
    tracking.runs.set_deleted(run, False, by=ADA)
    assert fsck(tracking.store, strict=True).problems == []
    with pytest.raises(StoreError, match="is not in the store"):
        b"".join(tracking.files.read(files[0]))


def test_runs_go_with_their_experiment(tracking: Tracking, folder: Path, set_back: SetBack) -> None:
    experiment = tracking.experiments.create("fraud", by=ADA).id
    runs = [tracking.runs.open(experiment, by=ADA).head.id for _ in range(2)]
    files = [tracking.files.put(run, "a", [run.encode()]) for run in runs]
    tracking.experiments.change(experiment, by=ADA, deleted=True)
    tracking.runs.set_deleted(runs[1], False, by=ADA)
    set_back(folder, HOURS)
    assert collect(tracking, older=timedelta(0)).blobs == 1
    assert [is_there(tracking, file) for file in files] == [False, True]


def test_a_seal_that_a_newer_one_replaced_goes(
    tracking: Tracking, run: str, folder: Path, set_back: SetBack
) -> None:
    old = tracking.files.put(run, "a", [b"old"])
    tracking.runs.close(run, RunStatus.FINISHED, by=ADA)
    new = tracking.files.put(run, "a", [b"new"])
    tracking.runs.close(run, RunStatus.FINISHED, by=ADA)
    set_back(folder, HOURS)
    assert collect(tracking).blobs == 0
    assert collect(tracking, older=timedelta(0)).forgotten == 1
    assert (is_there(tracking, old), is_there(tracking, new)) == (False, True)


def test_a_blob_that_is_missing_is_named_with_its_file(tracking: Tracking, run: str) -> None:
    file = tracking.files.put(run, "plots/a.png", [b"picture"])
    assert tracking.store.blobs.discard(file.blobs[0], 0.0)
    (problem,) = fsck(tracking.store).problems
    assert (problem.what, problem.id) == ("blob", file.blobs[0])
    assert f"file 'plots/a.png' of {run}" in problem.says


def test_where_the_stream_is_damaged_nothing_goes(
    tracking: Tracking, run: str, folder: Path, set_back: SetBack
) -> None:
    tracking.files.put(run, "a", [b"content"])
    tracking.files.put(run, "b", [b"more"])
    (segment,) = (folder / "streams" / STREAM).glob("*.seg")
    content = bytearray(segment.read_bytes())
    content[30] ^= 1
    segment.write_bytes(content)
    orphan = tracking.store.blobs.put(b"nobody's")
    set_back(folder, HOURS)
    with pytest.raises(Damaged, match="damaged on disk"):
        collect(tracking)
    assert tracking.store.blobs.find(orphan) is not None
    assert any("nobody knows which files" in problem.says for problem in fsck(tracking.store).problems)


def test_a_backup_brings_open_runs_back_with_their_files(
    tracking: Tracking, run: str, folder: Path, tmp_path: Path
) -> None:
    tracking.files.put(run, "a", [b"content"])
    tracking.logbook.log(RunEvent(owner=run, tags={"t": "1"}, parameters={"p": "2"}))
    before = tracking.runs.find(run)
    place = open_backup_place(str(tmp_path / "backups"), create=True, store=folder)
    back_up(tracking.store, folder, place, signing_key=False)
    tracking.logbook.log(RunEvent(owner=run, tags={"t": "later"}))
    target = StorePlace(folder=tmp_path / "copy")
    target.folder.mkdir()
    (target.folder / INDEX_FILE).write_bytes(b"of another state")
    assert restore(place, target).soundness.sound
    assert not (target.folder / INDEX_FILE).exists()
    with closing(target.open()) as store:
        copy = open_tracking(store, MemoryRunIndex())
        assert copy.runs.find(run) == before
        assert b"".join(copy.files.read(copy.files.find(run, "a"))) == b"content"
        copy.logbook.log(RunEvent(owner=run, tags={"t": "goes on"}))
