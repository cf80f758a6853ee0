"""Runs side by side: what differs between them, and which one is ahead in what."""

import math
from collections.abc import Sequence

import msgspec

from trimtab.atoms.run import LastPoint, Run
from trimtab.views.direction import direction

#: How many runs are compared at once.
FEWEST, MOST = 2, 10


class ParameterRow(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of all the runs."""

    name: str
    #: A value a run; None where it has none.
    values: tuple[str | None, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs do not all have the same value."""
        return len(set(self.values)) > 1


class MetricRow(msgspec.Struct, frozen=True, kw_only=True):
    """The last value of one metric of all the runs."""

    name: str
    values: tuple[LastPoint | None, ...]
    #: 1: larger is better; -1: smaller is; 0: nobody can tell from the name.
    better: int
    #: Places of the best runs; empty where the direction is not known, all are equal, or only one has a number.
    best: tuple[int, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs do not all have the same value."""
        return len({None if each is None else repr(each.value) for each in self.values}) > 1

    def delta(self, place: int) -> float | None:
        """How much more a run has than the first one; None where one of them has no finite number."""
        first, here = self.values[0], self.values[place]
        if place == 0 or first is None or here is None:
            return None
        difference = here.value - first.value
        return difference if math.isfinite(difference) else None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Runs in the order in which they were named; parameters and metrics by name, those that differ first."""

    runs: tuple[Run, ...]
    parameters: tuple[ParameterRow, ...]
    metrics: tuple[MetricRow, ...]


def compare(runs: Sequence[Run]) -> Comparison:
    """Put runs side by side."""
    parameters = [
        ParameterRow(name=name, values=tuple(run.parameters.get(name) for run in runs))
        for name in sorted({name for run in runs for name in run.parameters})
    ]
    metrics = [
        _metric_row(name, tuple(run.metrics.get(name) for run in runs))
        for name in sorted({name for run in runs for name in run.metrics})
    ]
    return Comparison(
        runs=tuple(runs),
        parameters=tuple(sorted(parameters, key=lambda row: not row.differs)),
        metrics=tuple(sorted(metrics, key=lambda row: not row.differs)),
    )


def varying(runs: Sequence[Run]) -> tuple[list[str], list[str]]:
    """Names of the parameters and of the metrics that some of the runs have, those that tell runs apart first.

    Among the parameters those with several values come first, among the metrics those that most runs have, and of
    equals those whose direction is known.
    """
    comparison = compare(runs)
    parameters = [row.name for row in comparison.parameters]
    having = {row.name: sum(each is not None for each in row.values) for row in comparison.metrics}
    metrics = sorted(having, key=lambda name: (-having[name], direction(name) == 0, name))
    return parameters, metrics


def _metric_row(name: str, values: tuple[LastPoint | None, ...]) -> MetricRow:
    better = direction(name)
    numbers = [each.value for each in values if each is not None and not math.isnan(each.value)]
    best: tuple[int, ...] = ()
    if better and len(numbers) > 1 and len(set(numbers)) > 1:
        top = max(numbers) if better > 0 else min(numbers)
        best = tuple(place for place, each in enumerate(values) if each is not None and each.value == top)
    return MetricRow(name=name, values=values, better=better, best=best)
