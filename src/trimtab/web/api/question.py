"""What stands in query strings: how many, and which."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from trimtab.atoms.check import Verdict
from trimtab.atoms.run_query import Deleted

#: How many are answered at once.
Limit = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class RunsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs are counted."""

    #: As `metrics.loss < 0.5 AND params.depth = '8'`; empty: all.
    filter: str = ""
    #: Ids or names of experiments, several times; all of them where it is left out.
    experiment: list[str] = []
    deleted: Deleted = Deleted.LEFT_OUT


class RunQuery(RunsWanted, frozen=True, kw_only=True):
    """Which runs, in which order."""

    #: As `metrics.loss ASC`, several times; the newest first where it is left out.
    order: list[str] = []
    limit: Limit = 100
    #: `after` of the page before; empty: the first page.
    after: str = ""


class SeriesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a metric."""

    #: At most so many points, which draw the same line as all of them; left out: all.
    most: Annotated[int, msgspec.Meta(ge=10, le=10_000)] | UnsetType = UNSET


class FilesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which files."""

    #: A folder; empty: all of the run's.
    under: str = ""


class PageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list."""

    limit: Limit = 100
    #: `after` of the page before; empty: the first page.
    after: str = ""


class TrainingQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which training runs."""

    #: Left out: of all models.
    model: str | UnsetType = UNSET


class CheckQuery(PageQuery, frozen=True, kw_only=True):
    """Which Checks."""

    verdict: Verdict | UnsetType = UNSET
    #: Its name, as `drift.location`, or with the digest of its rules.
    rule: str | UnsetType = UNSET
    #: Id of an artifact that was judged, or compared with.
    subject: str | UnsetType = UNSET


class ActionQuery(PageQuery, frozen=True, kw_only=True):
    """Which Actions."""

    #: As `promote`, `alert`.
    kind: str | UnsetType = UNSET
    stage: str | UnsetType = UNSET
    #: As `person:NAME`.
    by: str | UnsetType = UNSET
    subject: str | UnsetType = UNSET


class IncidentQuery(PageQuery, frozen=True, kw_only=True):
    """Which incidents."""

    kind: Literal["alert", "roll-back", "failure"] | UnsetType = UNSET
    subject: str | UnsetType = UNSET
    #: True: those that last; false: those that are over.
    open: bool | UnsetType = UNSET


class ArtifactQuery(PageQuery, frozen=True, kw_only=True):
    """Which artifacts."""

    #: As `model`, `snapshot`, `scorecard`.
    kind: str | UnsetType = UNSET
