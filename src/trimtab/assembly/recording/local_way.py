"""The local way: straight into the project's store, which all runs of a process share."""

import os
import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from trimtab.assembly.project import Project, open_project
from trimtab.assembly.recording.way import Beginning, Begun, chunks_of
from trimtab.assembly.session import person
from trimtab.assembly.store_place import StorePlace
from trimtab.assembly.tracking_place import open_project_tracking
from trimtab.atoms.actor import Actor
from trimtab.atoms.error import NotThere
from trimtab.atoms.run import DEFAULT_EXPERIMENT, Run, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.tracking.tracking import Tracking


class LocalWay:
    """Contract of the port, on the store of a project on this machine."""

    def __init__(self, project: Path | None) -> None:
        """
        Args:
            project: The project's folder; None: the nearest one upwards with `trimtab.toml`, else the present one.

        Raises:
            UsageError: No such folder, or its settings are wrong.
            StoreError: The store cannot be opened.
        """
        words = os.environ.get("TRIMTAB_STORE") or None
        found = open_project(project, words, declarations=False)
        self._project = replace(found, place=replace(found.place, folder=found.place.folder.absolute()))
        self._by = Actor(by=person())
        self._pid = -1
        self._opened: Tracking
        self._open()

    @property
    def place(self) -> StorePlace:
        """See the port."""
        return self._project.place

    def begin(self, beginning: Beginning) -> Begun:
        """See the port."""
        run = self._resumed(beginning) if beginning.resumes else None
        return _begun(self._new(beginning) if run is None else run)

    def log(self, event: RunEvent) -> None:
        """See the port."""
        self._tracking().logbook.log(event)

    def put(self, run: str, path: str, content: Path | bytes) -> None:
        """See the port."""
        self._tracking().files.put(run, path, chunks_of(content))

    def end(self, run: str, status: RunStatus, *, ended_ms: int, note: str) -> None:
        """See the port."""
        self._tracking().runs.close(run, status, by=self._by, ended_ms=ended_ms, note=note)

    def settle(self, patience_s: float) -> str:
        """See the port: what was kept is where it belongs."""
        return ""

    def close(self) -> None:
        """See the port."""
        if self._pid == os.getpid():
            self._pid = -1
            _give_back(self._project.place)

    def _open(self) -> None:
        self._pid, self._opened = os.getpid(), _lend(self._project)

    def _tracking(self) -> Tracking:
        """The open store of this process, also in one that was forked from the one that opened the way."""
        if self._pid != os.getpid():
            self._open()
        return self._opened

    def _resumed(self, beginning: Beginning) -> Run | None:
        tracking = self._tracking()
        try:
            run = tracking.runs.resume(beginning.run, by=self._by)
        except NotThere:
            return None
        if beginning.tags or beginning.parameters:
            tracking.logbook.log(
                RunEvent(
                    owner=run.head.id,
                    tags=dict(beginning.tags),
                    parameters=dict(beginning.parameters),
                    at_us=beginning.started_ms * 1000,
                )
            )
        return run

    def _new(self, beginning: Beginning) -> Run:
        tracking = self._tracking()
        experiment = beginning.experiment or DEFAULT_EXPERIMENT
        if experiment.isascii() and experiment.isdigit():
            tracking.experiments.find(experiment)  # digits are an id, here as on a server
        else:
            experiment = tracking.experiments.get_or_create(experiment, by=self._by).id
        return tracking.runs.open(
            experiment,
            by=self._by,
            run=beginning.run,
            started_ms=beginning.started_ms,
            tags={**beginning.first_tags, **beginning.tags},
            parameters=dict(beginning.parameters),
        )


def _begun(run: Run) -> Begun:
    steps = {name: point.step + 1 for name, point in run.metrics.items()}
    return Begun(run=run.head.id, name=run.name, experiment=run.head.experiment, next_steps=steps)


class _Lent:
    """An open store and how many ways use it."""

    def __init__(self, project: Project) -> None:
        self._opened = ExitStack()
        self.tracking = self._opened.enter_context(open_project_tracking(project))
        self.users = 0

    def close(self) -> None:
        self._opened.close()


_turn = threading.Lock()
_lent: dict[StorePlace, _Lent] = {}
#: Of the process that this one was forked from: never closed here, and never let go of.
_inherited: list[_Lent] = []


def _lend(project: Project) -> Tracking:
    with _turn:
        if project.place not in _lent:
            _lent[project.place] = _Lent(project)
        lent = _lent[project.place]
        lent.users += 1
        return lent.tracking


def _give_back(place: StorePlace) -> None:
    with _turn:
        lent = _lent[place]
        lent.users -= 1
        if lent.users == 0:
            del _lent[place]
            lent.close()


def _after_fork() -> None:
    global _turn
    _turn = threading.Lock()
    _inherited.extend(_lent.values())
    _lent.clear()


os.register_at_fork(after_in_child=_after_fork)
