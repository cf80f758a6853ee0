"""Two stores side by side: everything of the one is held against the other, after both were read."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

from trimtab.assembly.exchange.account import Account
from trimtab.assembly.exchange.file_intake import digest_of
from trimtab.assembly.exchange.foreign import (
    ForeignExperiment,
    ForeignModel,
    ForeignRegistered,
    ForeignRun,
    ForeignStore,
)
from trimtab.assembly.exchange.point_set import OnePoint, point_set
from trimtab.assembly.exchange.sqlite_target import MOST_REAL
from trimtab.atoms.error import UsageError
from trimtab.atoms.metric_point import Points


@dataclass(slots=True)
class SameStore:
    """Holds what was written against what it was written from; ids of the other store are told by the caller."""

    account: Account
    source: ForeignStore
    target: ForeignStore

    def experiments(self, theirs: list[ForeignExperiment]) -> None:
        """Experiments, by their names."""
        names = {each.name: each for each in theirs}
        for own in self.source.experiments():
            there = names.get(own.name)
            same = there is not None and (there.deleted, {**there.tags, **own.tags}) == (
                own.deleted,
                there.tags,
            )
            self._count("experiments", f"experiment {own.name!r}", same, "is not the same there")

    def run(self, own: ForeignRun, there: ForeignRun | None, tags: Mapping[str, str] | None = None) -> None:
        """A run.

        Args:
            tags: As they are said there; None: as they are here.
        """
        name = f"run {own.id}"
        if there is None:
            self._count("runs", name, False, "is not there")
            return
        head = (own.status, own.deleted, own.started_ms, own.ended_ms)
        self._count(
            "runs",
            name,
            head == (there.status, there.deleted, there.started_ms, there.ended_ms),
            "began, ended or was deleted otherwise",
        )
        self._texts("parameters", name, own.parameters, there.parameters)
        self._texts("tags", name, own.tags if tags is None else tags, there.tags)
        datasets = {(each.name, each.digest): each for each in there.datasets}
        mine = {(each.name, each.digest): each for each in own.datasets}
        self._texts("datasets", name, mine, datasets)
        points, known = _in_milliseconds(own.points), _in_milliseconds(there.points)
        self.account.found("points", len(points), len(points & known))
        if points - known:
            self.account.differs(f"{name}: {len(points - known):,} of {len(points):,} points are not there")
        self._files(name, own.place, there.place)

    def models(self, theirs: Mapping[str, ForeignModel]) -> None:
        """Logged models, by their ids here."""
        for own in self.source.models():
            there = theirs.get(own.id)
            name = f"logged model {own.id}"
            same = there is not None and (own.name, own.status, own.parameters) == (
                there.name,
                there.status,
                there.parameters,
            )
            self._count("logged models", name, same, "is not the same there")
            if there is not None:
                self._files(name, own.place, there.place)

    def registered(self, theirs: list[ForeignRegistered]) -> None:
        """Registered models, by their names; versions by their numbers."""
        names = {each.name: each for each in theirs}
        for own in self.source.registered():
            there = names.get(own.name)
            same = there is not None and (own.description, own.tags) == (there.description, there.tags)
            self._count("registered models", f"registered model {own.name!r}", same, "is not the same there")
            aliases = there.aliases if there else {}
            self._texts("aliases", f"registered model {own.name!r}", own.aliases, aliases)
            numbers = {each.number: each for each in there.versions} if there else {}
            for version in own.versions:
                other = numbers.get(version.number)
                same = other is not None and (version.description, version.stage, version.tags) == (
                    other.description,
                    other.stage,
                    other.tags,
                )
                files = self._digests_of(self.source, version.place)
                if same and files and other is not None:
                    there_too = self._digests_of(self.target, other.place)
                    same = files == {path: there_too.get(path) for path in files}
                name = f"version {version.number} of {own.name!r}"
                self._count("versions", name, same, "is not the same there")

    def _digests_of(self, store: ForeignStore, place: str) -> dict[str, str]:
        """What can be read there."""
        try:
            return {file.path: digest_of(file.read()) for file in store.files(place)}
        except UsageError:
            return {}

    def _files(self, name: str, own: str, there: str) -> None:
        files = {file.path: file for file in self.source.files(own)}
        if not files:
            return
        others = self._digests_of(self.target, there)
        same = size = same_size = 0
        for path, file in files.items():
            pieces = list(map(len, file.read()))
            size += sum(pieces)
            if others.get(path) == digest_of(file.read()):
                same, same_size = same + 1, same_size + sum(pieces)
            else:
                self.account.differs(f"{name}: file {path!r} is not the same there")
        self.account.found("files", len(files), same)
        self.account.found("file bytes", size, same_size)

    def _count(self, kind: str, name: str, same: bool, says: str) -> None:
        self.account.found(kind, 1, int(same))
        if not same:
            self.account.differs(f"{name} {says}")

    def _texts(self, kind: str, name: str, own: Mapping[Any, Any], there: Mapping[Any, Any]) -> None:
        other = [key for key, value in own.items() if there.get(key) != value]
        self.account.found(kind, len(own), len(own) - len(other))
        for key in other:
            says = f"{own[key]!r:.200} here, {there.get(key)!r:.200} there"
            self.account.differs(f"{name}: {kind} {key!r}: {says}")


def _in_milliseconds(points: Points) -> set[OnePoint]:
    """Points as MLflow keeps them: to the millisecond, and nothing infinite."""
    kept = Points()
    for metric, step, value, at_us in points:
        finite = value if isnan(value) else max(-MOST_REAL, min(MOST_REAL, value))
        kept.add(metric, step, finite, at_us // 1000 * 1000)
    return point_set(kept)
