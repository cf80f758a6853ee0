"""Runs side by side: what differs between them, and which one is ahead in what."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from trimtab.atoms.run import LastPoint, Run
from trimtab.atoms.run_account import written
from trimtab.views.direction import direction

#: How many runs are compared at once.
FEWEST, MOST = 2, 10
#: Digits of an id that are shown where they are enough.
SHOWN_DIGITS = 16


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

    @staticmethod
    def of(name: str, values: tuple[LastPoint | None, ...]) -> "MetricRow":
        """The row of these values."""
        better = direction(name)
        numbers = [each.value for each in values if each is not None and not math.isnan(each.value)]
        best: tuple[int, ...] = ()
        if better and len(set(numbers)) > 1:
            top = max(numbers) if better > 0 else min(numbers)
            best = tuple(place for place, each in enumerate(values) if each is not None and each.value == top)
        return MetricRow(name=name, values=values, better=better, best=best)

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
    """Runs in the order in which they were named; parameters and metrics by name, those that differ first.

    What was measured of the machine comes after what was measured of the model.
    """

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
        MetricRow.of(name, tuple(run.metrics.get(name) for run in runs))
        for name in sorted({name for run in runs for name in run.metrics})
    ]
    return Comparison(
        runs=tuple(runs),
        parameters=tuple(sorted(parameters, key=lambda row: not row.differs)),
        metrics=tuple(sorted(metrics, key=lambda row: (not row.differs, of_machine(row.name)))),
    )


def of_machine(metric: str) -> bool:
    """Whether a client measured it of the machine, and not of the model."""
    return metric.startswith("system/")


def varying(runs: Sequence[Run]) -> tuple[list[str], list[str]]:
    """Names of the parameters and of the metrics that some of the runs have, those that tell runs apart first.

    Among the parameters those with several values come first, among the metrics those that most runs have, and of
    equals those whose direction is known; what was measured of the machine comes last.
    """
    comparison = compare(runs)
    parameters = [row.name for row in comparison.parameters]
    having = {row.name: sum(each is not None for each in row.values) for row in comparison.metrics}
    metrics = sorted(having, key=lambda name: (of_machine(name), -having[name], direction(name) == 0, name))
    return parameters, metrics


def comparison_account(comparison: Comparison) -> dict[str, Any]:
    """Runs side by side: values in the order of the runs."""
    return {
        "runs": [
            {"id": run.head.id, "name": run.name, "status": run.head.status.value} for run in comparison.runs
        ],
        "parameters": [
            {"name": row.name, "differs": row.differs, "values": list(row.values)}
            for row in comparison.parameters
        ],
        "metrics": [
            {
                "name": row.name,
                "differs": row.differs,
                "better": {1: "larger", -1: "smaller", 0: None}[row.better],
                "values": [None if each is None else written(each.value) for each in row.values],
                "deltas": [row.delta(place) for place in range(len(row.values))],
                "best": [comparison.runs[place].head.id for place in row.best],
            }
            for row in comparison.metrics
        ],
    }


def short_ids(runs: Sequence[Run], digits: int = SHOWN_DIGITS) -> dict[str, str]:
    """As many digits of each id as tell these runs apart, at least `digits`, by id."""
    ids = [run.head.id for run in runs]
    while digits < max(map(len, ids), default=0) and len({each[:digits] for each in ids}) < len(set(ids)):
        digits += 4
    return {each: each[:digits] for each in ids}
