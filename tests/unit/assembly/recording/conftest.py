"""A project of the test's own to record in, and what its store then holds."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trimtab.assembly.project import open_project
from trimtab.assembly.tracking_place import open_project_tracking
from trimtab.atoms.run import Run
from trimtab.atoms.run_query import Query
from trimtab.tracking.tracking import Tracking


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder is a project; nothing of this process's environment says otherwise."""
    for name in [each for each in os.environ if each.startswith("TRIMTAB_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "trimtab.toml").touch()
    monkeypatch.setenv("TRIMTAB_SPOOL", str(tmp_path / "spool"))
    monkeypatch.chdir(folder)
    return folder


class Book:
    """What the store of a project holds of runs."""

    def __init__(self, project: Path) -> None:
        self._project = open_project(project, declarations=False)

    @contextmanager
    def tracking(self) -> Iterator[Tracking]:
        with open_project_tracking(self._project) as tracking:
            yield tracking

    def run(self, run: str) -> Run:
        with self.tracking() as tracking:
            return tracking.runs.find(run)

    def runs(self) -> list[Run]:
        with self.tracking() as tracking:
            return list(tracking.runs.search(Query()).items)

    def points(self, run: str, metric: str) -> list[tuple[int, float]]:
        with self.tracking() as tracking:
            return [(point.step, point.value) for point in tracking.logbook.points(run, metric)]

    def files(self, run: str) -> dict[str, bytes]:
        with self.tracking() as tracking:
            files = tracking.files
            return {file.path: b"".join(files.read(file)) for file in files.under(run)}


@pytest.fixture
def book(project: Path) -> Book:
    return Book(project)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """`trimtab.run` without what goes on beside the run."""
    import trimtab

    def begin(*args: object, **named: object) -> object:
        return trimtab.run(*args, **{"capture": False, "system_metrics": False, **named})  # type: ignore[arg-type]

    return begin
