"""A run index in memory."""

import math
import threading
from collections.abc import Sequence
from copy import copy
from typing import Any

from trimtab.atoms.metric_point import Point, Points, decode_points
from trimtab.atoms.run import (
    DEFAULT_EXPERIMENT,
    Experiment,
    LastPoint,
    LoggedDataset,
    LoggedFile,
    LoggedModel,
    LoggedModelHead,
    ModelLink,
    ModelMetric,
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
from trimtab.testing.memory_run_search import Asked, MemorySearch, of_experiment, of_model, of_run

#: Step, moment, whether it is a number, value (0 for NaN), its sign: the last point has the highest.
_Rank = tuple[int, int, bool, float, float]


class _Owner:
    """What one run or logged model logged."""

    def __init__(self) -> None:
        self.points: dict[tuple[str, _Rank], Point] = {}
        #: Of a logged model, by name, run and data.
        self.measured: dict[tuple[str, str, str, str], ModelMetric] = {}
        self.parameters: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.files: dict[str, LoggedFile] = {}
        self.datasets: dict[tuple[str, str], LoggedDataset] = {}
        self.models_in: dict[str, ModelLink] = {}
        self.models_out: dict[str, ModelLink] = {}

    def copied(self) -> "_Owner":
        """Another one, which may be changed while this one is read."""
        other = copy(self)
        vars(other).update({name: dict(held) for name, held in vars(self).items()})
        return other

    def metrics(self) -> dict[str, LastPoint]:
        """The last point of each metric."""
        last: dict[str, tuple[_Rank, Point]] = {}
        for (metric, rank), point in self.points.items():
            if metric not in last or rank > last[metric][0]:
                last[metric] = (rank, point)
        return {metric: _last(point) for metric, (_, point) in last.items()}

    def log(self, event: RunEvent) -> None:
        """Take in what is not points."""
        self.parameters = event.parameters | self.parameters
        for key, value in event.tags.items():
            self.tags.pop(key, None)
            if value is not None:
                self.tags[key] = value
        for gone in event.removed:
            self.files = {
                path: file
                for path, file in self.files.items()
                if path != gone and not path.startswith(f"{gone}/")
            }
        self.files |= {file.path: file for file in event.files}
        self.datasets |= {(each.name, each.digest): each for each in event.datasets}
        self.models_in |= {each.model: each for each in event.models_in}
        self.models_out |= {each.model: each for each in event.models_out}


class _State:
    """All that was taken in."""

    def __init__(self) -> None:
        self.position = Position()
        default = Experiment(id=DEFAULT_EXPERIMENT, name="Default", created_ms=0, updated_ms=0)
        self.experiments: dict[str, Experiment] = {default.id: default}
        self.runs: dict[str, tuple[RunHead, _Owner]] = {}
        self.models: dict[str, tuple[LoggedModelHead, _Owner]] = {}
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

    def owner(self, id: str) -> _Owner | None:
        """The run with this id, or the logged model where no run has it."""
        found = self.runs.get(id) or self.models.get(id)
        return found[1] if found else None

    def take(self, each: Tracked) -> None:
        """Take one thing in."""
        if isinstance(each, Experiment):
            self.experiments[each.id] = each
        elif isinstance(each, RunHead):
            self.runs[each.id] = (each, self.runs[each.id][1] if each.id in self.runs else _Owner())
        elif isinstance(each, LoggedModelHead):
            self.models[each.id] = (each, self.models[each.id][1] if each.id in self.models else _Owner())
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
                owner.points[point.metric, _rank(point)] = point
            if measured is not None:
                _measure(measured, event.owner if by_run else "", event.points_dataset, point)

    def _changeable(self, name: str) -> _Owner:
        """What the run or logged model of this name logged, as this state's own."""
        things: Any = self.runs if name in self.runs else self.models
        owner: _Owner
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
        return found.files.get(path) if found else None

    def under(self, owner: str, folder: str = "") -> list[LoggedFile]:
        found = self._index.state.owner(owner)
        files = found.files if found else {}
        return [files[path] for path in sorted(files) if not folder or path.startswith(f"{folder}/")]

    def blobs(self) -> set[str]:
        state = self._index.state
        owners = [owner for _, owner in (*state.runs.values(), *state.models.values())]
        return {digest for owner in owners for file in owner.files.values() for digest in file.blobs}


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


def _measure(model: _Owner, run: str, data: tuple[str, str], point: Point) -> None:
    key = (point.metric, run, *data)
    known = model.measured.get(key)
    if known is None or _rank(point) > _rank(known.last):
        model.measured[key] = ModelMetric(name=point.metric, last=_last(point), run=run, dataset=data)


def _rank(point: Point | LastPoint) -> _Rank:
    value = 0.0 if math.isnan(point.value) else point.value
    return point.step, point.at_us, not math.isnan(point.value), value, math.copysign(1, value)


def _last(point: Point) -> LastPoint:
    return LastPoint(value=point.value, step=point.step, at_us=point.at_us)


def _run(head: RunHead, owner: _Owner) -> Run:
    return Run(
        head=head,
        parameters=owner.parameters,
        tags=owner.tags,
        metrics=owner.metrics(),
        datasets=tuple(owner.datasets.values()),
        models_in=tuple(owner.models_in.values()),
        models_out=tuple(owner.models_out.values()),
    )


def _model(head: LoggedModelHead, owner: _Owner) -> LoggedModel:
    metrics = tuple(owner.measured[key] for key in sorted(owner.measured))
    return LoggedModel(head=head, parameters=owner.parameters, tags=owner.tags, metrics=metrics)
