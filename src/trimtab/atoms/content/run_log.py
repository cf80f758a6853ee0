"""A run log: what a run wrote while it ran, sealed when it closed."""

import math
from typing import Any, ClassVar

import msgspec

from trimtab.atoms.content.content import Content, Part
from trimtab.atoms.run import LastPoint, LoggedDataset, LoggedFile, ModelLink


class SealedMetric(msgspec.Struct, frozen=True, kw_only=True):
    """The newest point of a metric; JSON has no word for `NaN`, `Infinity` and `-Infinity`: they are texts."""

    value: float | str
    step: int
    #: Microseconds since 1970, UTC.
    at_us: int


class SealedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file with the blobs that hold its content, in order."""

    path: str
    size_bytes: int
    at_us: int
    parts: tuple[Part, ...]


class RunLog(Content, frozen=True, kw_only=True):
    """Parameters, tags and metric points of one run; of a run that was tracked also its files and data."""

    kind: ClassVar[str] = "run-log"

    #: Of the engine's own; empty for what was logged by hand.
    model: str
    parameters: dict[str, Any]
    tags: dict[str, str]
    #: (metric, step, value), in the order they were logged, where the engine trained.
    points: tuple[tuple[str, int, float], ...] = ()
    #: Ids of the run and of its experiment; empty where the engine trained.
    run: str = ""
    experiment: str = ""
    #: Of every metric.
    metrics: dict[str, SealedMetric] = msgspec.field(default_factory=dict)
    #: All points of all metrics, as `engine.metric_series.RunPoints.sealed` writes them; None: there are none.
    series: Part | None = None
    files: tuple[SealedFile, ...] = ()
    datasets: tuple[LoggedDataset, ...] = ()
    models_in: tuple[ModelLink, ...] = ()
    models_out: tuple[ModelLink, ...] = ()


def sealed_metric(last: LastPoint) -> SealedMetric:
    """A newest point in the form that JSON can say."""
    value: float | str = last.value
    if not math.isfinite(last.value):
        value = "NaN" if math.isnan(last.value) else "Infinity" if last.value > 0 else "-Infinity"
    return SealedMetric(value=value, step=last.step, at_us=last.at_us)


def sealed_file(file: LoggedFile, piece_bytes: int) -> SealedFile:
    """A file as it is sealed; all of its blobs but the last have `piece_bytes` bytes."""
    last = len(file.blobs) - 1
    sizes = (
        piece_bytes if place < last else file.size_bytes - last * piece_bytes for place in range(last + 1)
    )
    parts = tuple(Part(blob=blob, size_bytes=size) for blob, size in zip(file.blobs, sizes, strict=True))
    return SealedFile(path=file.path, size_bytes=file.size_bytes, at_us=file.at_us, parts=parts)
