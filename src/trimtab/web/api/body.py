"""What the API takes as JSON; a field that is not known is refused, never passed over."""

from typing import Annotated, Literal

import msgspec

from trimtab.assembly.token import LONGEST_LIFE
from trimtab.atoms.permission import Role
from trimtab.atoms.run_account import Number, Whole

#: Longest name of an experiment, a tag, a parameter, in characters.
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
#: Milliseconds since 1970, UTC, until the year 9999.
Millis = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]
#: Microseconds since 1970, UTC.
Micros = Whole
Metric = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
_CENTURY_S = int(LONGEST_LIFE.total_seconds())
EndStatus = Literal["FINISHED", "FAILED", "KILLED"]


class ExperimentBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An experiment to be made."""

    name: Name
    tags: dict[str, str] = {}


class ExperimentChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of an experiment changes; what is null stays as it is."""

    name: Name | None = None
    #: True deletes it and its runs, false restores them.
    deleted: bool | None = None
    #: Null takes a tag away.
    tags: dict[str, str | None] = {}


class RunBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run to be begun."""

    #: Id or name of its experiment; one of a new name is made. A name of digits only is not made.
    experiment: Name = "0"
    #: Its id: a letter or digit, then up to 255 of these, `_` and `-`; empty: a new one.
    id: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,255})?$")] = ""
    tags: dict[str, str] = {}
    parameters: dict[str, str] = {}
    #: Null: now.
    started_ms: Millis | None = None


class TokenBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to be given."""

    #: A letter or digit, then up to 63 of these and of `-`, `_`, `.`, `@`.
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    roles: Annotated[list[Role], msgspec.Meta(min_length=1)]
    #: Seconds that it lives, 90 days where it is left out; null: for ever.
    expires_in_s: Annotated[int, msgspec.Meta(ge=1, le=_CENTURY_S)] | None = 90 * 86_400


class PointBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value of one metric."""

    metric: Metric
    step: Whole = 0
    value: Number
    #: Microseconds since 1970, UTC; null: now.
    at_us: Micros | None = None


class SeriesBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Many values of one metric, in columns of one length."""

    steps: list[Whole]
    values: list[Number]
    #: Microseconds since 1970, UTC: one for all, or one each; null: now.
    at_us: Micros | list[Micros] | None = None


class DatasetBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Data that a run read."""

    name: Name
    digest: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    source_type: str = ""
    source: str = ""
    #: JSON texts; empty: not told.
    schema: str = ""
    profile: str = ""
    tags: dict[str, str] = {}


class LogBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run says about itself; it takes effect together."""

    points: list[PointBody] = []
    #: By metric.
    series: dict[str, SeriesBody] = {}
    parameters: dict[str, str] = {}
    #: Null takes a tag away.
    tags: dict[str, str | None] = {}
    datasets: list[DatasetBody] = []


class EndBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a run ended."""

    status: EndStatus = "FINISHED"
    #: Null: now.
    ended_ms: Millis | None = None
    note: Annotated[str, msgspec.Meta(max_length=5000)] = ""
