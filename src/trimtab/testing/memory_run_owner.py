"""What one run or logged model logged, as an index in memory keeps it."""

import math
from collections.abc import Hashable
from copy import copy
from typing import Generic, TypeVar

import msgspec

from trimtab.atoms.metric_point import Point
from trimtab.atoms.run import LastPoint, LoggedDataset, LoggedFile, ModelLink, ModelMetric
from trimtab.atoms.run_event import RunEvent

#: Step, moment, whether it is a number, value (0 for NaN), its sign: the last point has the highest.
Rank = tuple[int, int, bool, float, float]
Thing = TypeVar("Thing")
_ENCODER = msgspec.msgpack.Encoder(order="sorted")


class Sayings(Generic[Thing]):
    """What was said about things, each with its moment: the first thing said first, each one as it was said last."""

    def __init__(self) -> None:
        self._said: dict[Hashable, list[tuple[int, bytes, Thing]]] = {}

    def add(self, key: Hashable, at_us: int, thing: Thing) -> None:
        """Something was said about the thing with a key."""
        said = [*self._said.get(key, []), (at_us, _ENCODER.encode(thing), thing)]
        self._said = {**self._said, key: said}

    def all(self) -> tuple[Thing, ...]:
        """The things."""
        said = self._said
        in_order = sorted(said, key=lambda key: (min(at_us for at_us, _, _ in said[key]), key))
        return tuple(max(said[key], key=lambda saying: saying[:2])[2] for key in in_order)


class MemoryOwner:
    """A run or a logged model without its head. `copied` before it is changed, where somebody may read it."""

    def __init__(self) -> None:
        self.points: dict[tuple[str, Rank], Point] = {}
        #: Of a logged model, by name, run and data.
        self.measured: dict[tuple[str, str, str, str], ModelMetric] = {}
        self._parameters: dict[str, tuple[int, str]] = {}
        #: Whether it is there, and its value.
        self._tags: dict[str, tuple[int, bool, str]] = {}
        self._files: dict[str, tuple[int, int, int, bytes]] = {}
        self._removals: dict[str, int] = {}
        self._datasets: Sayings[LoggedDataset] = Sayings()
        self._models_in: Sayings[ModelLink] = Sayings()
        self._models_out: Sayings[ModelLink] = Sayings()

    def copied(self) -> "MemoryOwner":
        """Another one, which may be changed while this one is read."""
        other = copy(self)
        vars(other).update({name: copy(held) for name, held in vars(self).items()})
        return other

    def log(self, event: RunEvent) -> None:
        """Take in what is not points."""
        at_us = event.at_us
        for key, value in event.parameters.items():
            self._parameters[key] = min(self._parameters.get(key, (at_us, value)), (at_us, value))
        for key, tag in event.tags.items():
            told = (at_us, tag is not None, tag or "")
            self._tags[key] = max(self._tags.get(key, told), told)
        for path in event.removed:
            self._removals[path] = max(self._removals.get(path, at_us), at_us)
        for file in event.files:
            saying = (at_us, file.at_us, file.size_bytes, "\n".join(file.blobs).encode())
            self._files[file.path] = max(self._files.get(file.path, saying), saying)
        for dataset in event.datasets:
            self._datasets.add((dataset.name, dataset.digest), at_us, dataset)
        for sayings, links in ((self._models_in, event.models_in), (self._models_out, event.models_out)):
            for link in links:
                sayings.add(link.model, at_us, link)

    def measure(self, run: str, data: tuple[str, str], point: Point) -> None:
        """Take in a point that measures this logged model."""
        key = (point.metric, run, *data)
        known = self.measured.get(key)
        if known is None or rank(point) > rank(known.last):
            self.measured[key] = ModelMetric(name=point.metric, last=_last(point), run=run, dataset=data)

    def metrics(self) -> dict[str, LastPoint]:
        """The last point of each metric."""
        return {metric: _last(point) for (metric, _), point in sorted(self.points.items())}

    def files(self) -> dict[str, LoggedFile]:
        """The files that are there, by path."""
        found = {}
        for path, (told_us, at_us, size_bytes, blobs) in self._files.items():
            gone = [
                removed_us
                for removed, removed_us in self._removals.items()
                if path == removed or path.startswith(f"{removed}/")
            ]
            if max(gone, default=told_us) <= told_us:
                digests = tuple(blobs.decode().split("\n")) if blobs else ()
                found[path] = LoggedFile(path=path, size_bytes=size_bytes, blobs=digests, at_us=at_us)
        return found

    @property
    def told(self) -> "Told":
        """The rest, as it stands."""
        return Told(
            {key: value for key, (_, value) in self._parameters.items()},
            {key: value for key, (_, there, value) in self._tags.items() if there},
            self._datasets.all(),
            self._models_in.all(),
            self._models_out.all(),
        )


class Told(msgspec.Struct):
    """Parameters, tags, datasets and models."""

    parameters: dict[str, str]
    tags: dict[str, str]
    datasets: tuple[LoggedDataset, ...]
    models_in: tuple[ModelLink, ...]
    models_out: tuple[ModelLink, ...]


def rank(point: Point | LastPoint) -> Rank:
    """Where a point stands among those of its metric."""
    value = 0.0 if math.isnan(point.value) else point.value
    return point.step, point.at_us, not math.isnan(point.value), value, math.copysign(1, value)


def _last(point: Point) -> LastPoint:
    return LastPoint(value=point.value, step=point.step, at_us=point.at_us)
