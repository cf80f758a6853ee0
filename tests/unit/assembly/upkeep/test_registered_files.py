"""A registered version's files stay, whatever becomes of what it was registered from."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from trimtab.adapters.local_store import open_store
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.assembly.upkeep.garbage import collect_garbage
from trimtab.atoms.actor import Actor
from trimtab.atoms.run import ModelStatus, RunStatus
from trimtab.tracking.tracking import Tracking, open_tracking

ADA = Actor(by="person:ada")
LONG_AGO = timedelta(seconds=0)
SetBack = Callable[[Path, float], None]


def version_of_a_run(tracking: Tracking) -> tuple[str, str]:
    """A registered version of a run's files, which then is deleted; the run and what the version keeps."""
    run = tracking.runs.open(by=ADA).head.id
    tracking.files.put(run, "m/model", [b"of a run"])
    tracking.files.put(run, "log", [b"of nobody else"])
    kept = tracking.registry.versions.add("wind", f"runs:/{run}/m", by=ADA).files
    tracking.files.remove(run, "m")
    tracking.runs.close(run, RunStatus.FINISHED, by=ADA)
    tracking.runs.set_deleted(run, True, by=ADA)
    return run, kept


def version_of_a_logged_model(tracking: Tracking) -> str:
    model = tracking.models.create("0", by=ADA).head.id
    tracking.files.put(model, "model", [b"of a logged model"])
    tracking.models.finish(model, ModelStatus.READY, by=ADA)
    kept = tracking.registry.versions.add("wind", f"models:/{model}", by=ADA).files
    tracking.models.delete(model, by=ADA)
    return kept


def test_gc_leaves_the_files_of_versions_alone(tmp_path: Path, set_back: SetBack) -> None:
    with (
        closing(open_store(tmp_path / "store")) as store,
        closing(open_run_index(tmp_path / "index")) as index,
    ):
        tracking = open_tracking(store, index)
        tracking.registry.models.create("wind", by=ADA)
        run, first = version_of_a_run(tracking)
        second = version_of_a_logged_model(tracking)
        third = version_of_a_run(tracking)[1]
        (log,) = tracking.files.under(run)
        set_back(tmp_path / "store", 7200.0)
        collect_garbage(store, by=ADA.by, older=LONG_AGO)
        assert store.blobs.find(log.blobs[0]) is None  # it did forget: the run is gone for good
        contents = [
            b"".join(tracking.files.read(file))
            for kept in (first, second, third)
            for file in tracking.registry.versions.files(kept)
        ]
        assert contents == [b"of a run", b"of a logged model", b"of a run"]
        tracking.follower.stop()
