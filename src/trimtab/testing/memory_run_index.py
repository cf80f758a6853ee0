"""A run index in memory."""

import threading
from collections.abc import Sequence
from copy import copy
from typing import Any

from trimtab.atoms.metric_point import Points, decode_points
from trimtab.atoms.run import (
    DEFAULT_EXPERIMENT,
    Experiment,
    LoggedFile,
    LoggedModel,
    LoggedModelHead,
    Run,
    RunHead,
)
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Page, Query
from trimtab.atoms.searchable import EXPERIMENTS, LOGGED_MODELS, RUNS, settled
from trimtab.ports.run_index import (
    ExperimentSearch,
    FileSearch,
    ModelSearch,
    Position,
    RunSearch,
    Tracked,
)
from trimtab.testing.memory_run_owner import MemoryOwner, rank
from trimtab.testing.memory_run_search import Asked, MemorySearch, of_experiment, of_model, of_run


class _State:
    """All that was taken in."""

    def __init__(self) -> None:
        self.position = Position()
        default = Experiment(id=DEFAULT_EXPERIMENT, name="Default", created_ms=0, updated_ms=0)
        self.experiments: dict[str, Experiment] = {default.id: default}
        self.runs: dict[str, tuple[RunHead, MemoryOwner]] = {}
        self.models: dict[str, tuple[LoggedModelHead, MemoryOwner]] = {}
        self._own: set[int] = set()

    def copied(self) -> "_State":
        """Another one, which may be changed while this one is read: an owner is copied when it is changed."""
        other = copy(self)
        other.experiments, other.runs, other.models = (
            dict(self.experiments),
            dict(self.runs),
            dict(self.models),
        )
        other._own = set()
        return other

    def owner(self, id: str) -> MemoryOwner | None:
        """The run with this id, or the logged model where no run has it."""
        found = self.runs.get(id) or self.models.get(id)
        return found[1] if found else None

    def take(self, each: Tracked) -> None:
        """Take one thing in."""
        if isinstance(each, Experiment):
            self.experiments[each.id] = each
        elif isinstance(each, RunHead):
            self.runs[each.id] = (each, self.runs[each.id][1] if each.id in self.runs else MemoryOwner())
        elif isinstance(each, LoggedModelHead):
            self.models[each.id] = (
                each,
                self.models[each.id][1] if each.id in self.models else MemoryOwner(),
            )
        else:
            self._event(each)

    def _event(self, event: RunEvent) -> None:
        if self.owner(event.owner) is None:
            return
        owner = self._changeable(event.owner)
        owner.log(event)
        if not event.points:
            return
        by_run = event.owner in self.runs
        measures = event.points_model if by_run else event.points_model or event.owner
        measured = (
            self._changeable(measures) if measures in self.models and measures not in self.runs else None
        )
        for point in decode_points(event.points):
            if by_run:
                owner.points[point.metric, rank(point)] = point
            if measured is not None:
                measured.measure(event.owner if by_run else "", event.points_dataset, point)

    def _changeable(self, name: str) -> MemoryOwner:
        """What the run or logged model of this name logged, as this state's own."""
        things: Any = self.runs if name in self.runs else self.models
        owner: MemoryOwner
        head, owner = things[name]
        if id(owner) not in self._own:
            owner = owner.copied()
            things[name] = (head, owner)
            self._own.add(id(owner))
        return owner


class MemoryRunIndex:
    """Contract of the port; gone with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = _State()
        self.runs: RunSearch = _Runs(self)
        self.files: FileSearch = _Files(self)
        self.experiments: ExperimentSearch = _Experiments(self)
        self.models: ModelSearch = _Models(self)

    @property
    def state(self) -> _State:
        """What was taken in last; never changed afterwards."""
        return self._state

    def position(self) -> Position:
        """See the port."""
        return self._state.position

    def take(self, tracked: Sequence[Tracked], *, after: Position, upto: Position) -> bool:
        """See the port."""
        with self._lock:
            if self._state.position != after:
                return False
            state = self._state.copied()
            for each in tracked:
                state.take(each)
            state.position = upto
            self._state = state
        return True

    def close(self) -> None:
        """See the port; what is in memory stays."""


class _Runs:
    def __init__(self, index: MemoryRunIndex) -> None:
        self._index, self._search = index, MemorySearch()

    def find(self, run: str) -> Run | None:
        found = self._index.state.runs.get(run)
        return None if found is None else _run(*found)

    def search(self, query: Query) -> Page[Run]:
        query = settled(query, RUNS)
        return self._search.page(query, self._asked(query))

    def count(self, query: Query) -> int:
        query = settled(query, RUNS)
        return len(self._search.found(query, self._asked(query)))

    def points(self, run: str, metric: str) -> Points:
        points = Points()
        found = self._index.state.runs.get(run)
        if found is not None:
            points.extend(point for (name, _), point in sorted(found[1].points.items()) if name == metric)
        return points

    def _asked(self, query: Query) -> list[Asked[Run]]:
        return [of_run(_run(*each)) for each in self._index.state.runs.values()]


class _Files:
    def __init__(self, index: MemoryRunIndex) -> None:
        self._index = index

    def find(self, owner: str, path: str) -> LoggedFile | None:
        found = self._index.state.owner(owner)
        return found.files().get(path) if found else None

    def under(self, owner: str, folder: str = "") -> list[LoggedFile]:
        found = self._index.state.owner(owner)
        files = found.files() if found else {}
        return [files[path] for path in sorted(files) if not folder or path.startswith(f"{folder}/")]


class _Experiments:
    def __init__(self, index: MemoryRunIndex) -> None:
        self._index, self._search = index, MemorySearch()

    def find(self, experiment: str) -> Experiment | None:
        return self._index.state.experiments.get(experiment)

    def named(self, name: str) -> Experiment | None:
        found = [each for each in self._index.state.experiments.values() if each.name == name]
        return min(found, key=lambda each: each.deleted, default=None)

    def search(self, query: Query) -> Page[Experiment]:
        query = settled(query, EXPERIMENTS)
        asked = [of_experiment(each) for each in self._index.state.experiments.values()]
        return self._search.page(query, asked)


class _Models:
    def __init__(self, index: MemoryRunIndex) -> None:
        self._index, self._search = index, MemorySearch()

    def find(self, model: str) -> LoggedModel | None:
        found = self._index.state.models.get(model)
        return None if found is None else _model(*found)

    def search(self, query: Query) -> Page[LoggedModel]:
        query = settled(query, LOGGED_MODELS)
        asked = [of_model(_model(*each), query) for each in self._index.state.models.values()]
        return self._search.page(query, asked)


def _run(head: RunHead, owner: MemoryOwner) -> Run:
    told = owner.told
    return Run(
        head=head,
        parameters=told.parameters,
        tags=told.tags,
        metrics=owner.metrics(),
        datasets=told.datasets,
        models_in=told.models_in,
        models_out=told.models_out,
    )


def _model(head: LoggedModelHead, owner: MemoryOwner) -> LoggedModel:
    metrics = tuple(owner.measured[key] for key in sorted(owner.measured))
    return LoggedModel(head=head, parameters=owner.told.parameters, tags=owner.told.tags, metrics=metrics)
