"""What an MLflow store holds, in the words of this store: what every reader of one gives."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from trimtab.atoms.metric_point import Points
from trimtab.atoms.run import LoggedDataset, ModelLink, ModelStatus, RunStatus
from trimtab.tracking.registry.registered_model import Stage


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A file of a run or of a logged model."""

    #: Relative to its owner's folder, parted by `/`.
    path: str
    #: The content, a piece at a time; from the beginning at each call.
    read: Callable[[], Iterator[bytes]]
    #: When it was last written, microseconds since 1970; 0: not known.
    at_us: int = 0


@dataclass(slots=True)
class ForeignExperiment:
    """An experiment."""

    id: str
    name: str
    deleted: bool
    created_ms: int
    updated_ms: int
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class ForeignRun:
    """A run with all that it logged."""

    id: str
    #: Id of its experiment in the foreign store.
    experiment: str
    status: RunStatus
    deleted: bool
    started_ms: int
    ended_ms: int | None
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    points: Points = field(default_factory=Points)
    datasets: tuple[LoggedDataset, ...] = ()
    models_in: tuple[ModelLink, ...] = ()
    models_out: tuple[ModelLink, ...] = ()
    #: Where the store says that its files are.
    place: str = ""


@dataclass(slots=True)
class ForeignModelPoints:
    """Points that measure a logged model, by the run that measured them and the data they were measured on."""

    run: str
    dataset: tuple[str, str]
    points: Points


@dataclass(slots=True)
class ForeignModel:
    """A logged model."""

    id: str
    experiment: str
    name: str
    type: str
    run: str
    status: ModelStatus
    note: str
    created_ms: int
    updated_ms: int
    deleted: bool = False
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    points: list[ForeignModelPoints] = field(default_factory=list)
    place: str = ""


@dataclass(slots=True)
class ForeignVersion:
    """A version of a registered model."""

    number: int
    source: str
    run: str
    logged_model: str
    run_link: str
    description: str
    stage: Stage
    created_ms: int
    updated_ms: int
    tags: dict[str, str] = field(default_factory=dict)
    #: Where its files are.
    place: str = ""


@dataclass(slots=True)
class ForeignRegistered:
    """A registered model."""

    name: str
    description: str
    created_ms: int
    updated_ms: int
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    versions: list[ForeignVersion] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Overview:
    """How much there is."""

    #: Runs that `runs` will give; 0: not known beforehand.
    runs: int
    #: What is not taken over, with how many of it.
    left: dict[str, int] = field(default_factory=dict)


class ForeignStore(Protocol):
    """Contract: reads only; every call reads the store as it is then."""

    #: How messages name it; without a password.
    shown: str
    #: What was found damaged so far and is not among what the calls gave, a sentence each, by where it lies.
    unread: dict[Path, str]

    def experiments(self) -> list[ForeignExperiment]:
        """All of them, the deleted ones too."""
        ...

    def runs(self) -> Iterator[list[ForeignRun]]:
        """All runs, the deleted ones too, some at a time."""
        ...

    def models(self) -> list[ForeignModel]:
        """All logged models."""
        ...

    def registered(self) -> list[ForeignRegistered]:
        """All registered models."""
        ...

    def files(self, place: str) -> list[ForeignFile]:
        """The files at a place that a run or a model names, by path; UsageError where it cannot be reached.

        Reading a file that cannot be read raises UsageError too.
        """
        ...

    def overview(self) -> Overview:
        """How much there is."""
        ...
