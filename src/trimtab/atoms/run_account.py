"""A run as JSON says it: flat, and with numbers that JSON has no word for as strings."""

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec

from trimtab.atoms.error import UsageError
from trimtab.atoms.run import LastPoint, LoggedDataset, ModelLink, Run, RunHead, RunStatus

#: A number, or what JSON has no number for.
Number = float | Literal["NaN", "Infinity", "-Infinity"]
#: A whole number of 64 bits.
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class PointAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The newest point of a metric."""

    value: Number
    step: Whole
    #: Microseconds since 1970, UTC.
    at_us: Whole


class RunAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A run with all that it logged, but for the points before the last ones and the files."""

    id: str
    #: What people call it; empty where nobody named it.
    name: str
    #: Id of its experiment.
    experiment: str
    status: RunStatus
    deleted: bool
    #: Milliseconds since 1970, UTC.
    started_ms: Whole
    ended_ms: Whole | None
    #: `person:NAME`, `token:NAME` or `policy:NAME`.
    by: str
    #: Verb of the stage that made it; empty: logged by hand.
    stage: str
    #: Artifact id of its run log, once it was sealed.
    sealed: str | None
    note: str
    parameters: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, PointAccount]
    datasets: tuple[LoggedDataset, ...]
    models_in: tuple[ModelLink, ...]
    models_out: tuple[ModelLink, ...]


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the runs that were found."""

    runs: tuple[RunAccount, ...]
    #: For the next page; empty: this is the last one.
    after: str


def written(value: float) -> Number:
    """A number as JSON can say it."""
    if math.isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def written_all(values: Iterable[float]) -> list[Number]:
    """Numbers as JSON can say them."""
    return [written(value) for value in values]


def read_number(value: Any) -> float:
    """The number that `written` wrote.

    Raises:
        UsageError: It is none.
    """
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError as error:
            raise UsageError("a number is larger than 64 bits can say: give Infinity") from error
    raise UsageError(f"{str(value)[:40]!r} is no number: give one, or NaN, Infinity or -Infinity as a string")


def account_of(run: Run) -> RunAccount:
    """What JSON says of a run."""
    head = run.head
    return RunAccount(
        id=head.id,
        name=run.name,
        experiment=head.experiment,
        status=head.status,
        deleted=head.deleted,
        started_ms=head.started_ms,
        ended_ms=head.ended_ms,
        by=head.by,
        stage=head.stage,
        sealed=head.sealed,
        note=head.note,
        parameters=run.parameters,
        tags=run.tags,
        metrics={
            name: PointAccount(value=written(point.value), step=point.step, at_us=point.at_us)
            for name, point in run.metrics.items()
        },
        datasets=run.datasets,
        models_in=run.models_in,
        models_out=run.models_out,
    )


def run_of(account: RunAccount) -> Run:
    """The run that an account speaks of: the other way round of `account_of`."""
    return Run(
        head=RunHead(
            id=account.id,
            experiment=account.experiment,
            status=account.status,
            deleted=account.deleted,
            started_ms=account.started_ms,
            ended_ms=account.ended_ms,
            by=account.by,
            stage=account.stage,
            sealed=account.sealed,
            note=account.note,
        ),
        parameters=account.parameters,
        tags=account.tags,
        metrics={
            name: LastPoint(value=read_number(point.value), step=point.step, at_us=point.at_us)
            for name, point in account.metrics.items()
        },
        datasets=account.datasets,
        models_in=account.models_in,
        models_out=account.models_out,
    )
