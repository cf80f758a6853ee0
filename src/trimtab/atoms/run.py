"""A run: what somebody tried, with what, and what came of it. Steps of the engine and a person's own are the same.

Names that every run shares with MLflow's clients are tags: `mlflow.runName`, `mlflow.parentRunId`, `mlflow.user`,
`mlflow.note.content`, `mlflow.source.name`, `mlflow.source.git.commit`.
"""

from enum import StrEnum

import msgspec

#: Tags that have a meaning here too.
NAME_TAG, PARENT_TAG, USER_TAG = "mlflow.runName", "mlflow.parentRunId", "mlflow.user"
NOTE_TAG, SOURCE_TAG, COMMIT_TAG = "mlflow.note.content", "mlflow.source.name", "mlflow.source.git.commit"

#: The experiment of runs that name none.
DEFAULT_EXPERIMENT = "0"


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    #: Stopped from outside, or its process died.
    KILLED = "KILLED"

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self not in (RunStatus.RUNNING, RunStatus.SCHEDULED)


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """A named group of runs. The engine's runs are in the experiment that is called as their model."""

    #: Digits.
    id: str
    name: str
    deleted: bool = False
    #: Milliseconds since 1970, UTC.
    created_ms: int
    updated_ms: int
    tags: dict[str, str] = {}


class LastPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The newest point of a metric: of the highest step, of those the latest, of those the highest value."""

    value: float
    step: int
    #: Microseconds since 1970, UTC.
    at_us: int


class LoggedDataset(msgspec.Struct, frozen=True, kw_only=True):
    """Data that a run read, as its client told of it."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    #: JSON texts; empty: not told.
    schema: str = ""
    profile: str = ""
    #: Of this use, such as `mlflow.data.context`.
    tags: dict[str, str] = {}


class LoggedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a run or of a logged model, under a logical path."""

    #: Relative, parts separated by `/`, none of them empty, `.` or `..`.
    path: str
    size_bytes: int
    #: Digests of the blobs that the content is, in order; one for a file of up to `tracking.file.PIECE_BYTES`.
    blobs: tuple[str, ...]
    at_us: int


class RunHead(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says about a run."""

    #: Id of its Action.
    id: str
    #: Id of its experiment.
    experiment: str
    status: RunStatus
    deleted: bool = False
    started_ms: int
    ended_ms: int | None = None
    #: As in `Action.by`.
    by: str
    #: Verb of the stage that made it, as `train`; empty: logged by hand.
    stage: str = ""
    #: Artifact id of its run log, once it was sealed.
    sealed: str | None = None
    #: What a person wants to know about its end.
    note: str = ""


class ModelLink(msgspec.Struct, frozen=True, kw_only=True):
    """A logged model that a run read or made."""

    model: str
    step: int = 0


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run with all that it logged, but for the points before the last ones and the files."""

    head: RunHead
    parameters: dict[str, str] = {}
    tags: dict[str, str] = {}
    metrics: dict[str, LastPoint] = {}
    datasets: tuple[LoggedDataset, ...] = ()
    models_in: tuple[ModelLink, ...] = ()
    models_out: tuple[ModelLink, ...] = ()

    @property
    def name(self) -> str:
        """What people call it; empty where nobody named it."""
        return self.tags.get(NAME_TAG, "")


class ModelStatus(StrEnum):
    """Where a logged model stands."""

    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"


class LoggedModelHead(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says about a logged model: what a client stored. It is compared, never served as it is."""

    #: `m-` and 32 hex digits.
    id: str
    experiment: str
    name: str
    #: As the client called it, such as `Agent`; mostly empty.
    type: str = ""
    #: The run that made it; empty: none.
    run: str = ""
    status: ModelStatus = ModelStatus.PENDING
    note: str = ""
    deleted: bool = False
    created_ms: int
    updated_ms: int


class ModelMetric(msgspec.Struct, frozen=True, kw_only=True):
    """The newest point of a metric that was measured on a logged model."""

    name: str
    last: LastPoint
    #: The run that measured it.
    run: str
    #: Name and digest of the data it was measured on; empty: not told.
    dataset: tuple[str, str] = ("", "")


class LoggedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A logged model with all that was logged about it, but for the files."""

    head: LoggedModelHead
    parameters: dict[str, str] = {}
    tags: dict[str, str] = {}
    metrics: tuple[ModelMetric, ...] = ()
