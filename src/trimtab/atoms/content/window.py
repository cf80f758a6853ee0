"""A window: a stretch of the prediction log, joined with outcomes and sealed before it is judged."""

from typing import ClassVar

import msgspec

from trimtab.atoms.content.content import Content, Part


class ServedBy(msgspec.Struct, frozen=True, kw_only=True):
    """What one bundle did within the window."""

    bundle: str
    version: int
    #: `champion`, `canary` or `shadow`.
    role: str
    requests: int
    rows: int
    #: Requests that this bundle failed (answered by the champion instead, where it was a canary).
    errors: int
    latency_ms_p50: float | None = None
    latency_ms_p99: float | None = None


class Window(Content, frozen=True, kw_only=True):
    """Rows served between two moments of event time, with the outcomes known when it was sealed."""

    kind: ClassVar[str] = "window"

    model: str
    #: `2013-03-05`: its place in the sequence of windows.
    span: str
    #: UTC ISO 8601: from `first` up to, not including, `last`.
    first: str
    last: str
    rows: int
    outcomes: int
    #: Parquet: request_id, row, bundle, version, role, event_time, features..., answer columns, truth.
    table: Part
    served: tuple[ServedBy, ...]
