"""A run log: what a run wrote while it ran, sealed when it closed."""

from typing import Any, ClassVar

from trimtab.atoms.content.content import Content


class RunLog(Content, frozen=True, kw_only=True):
    """Parameters, tags and metric points of one run."""

    kind: ClassVar[str] = "run-log"

    model: str
    parameters: dict[str, Any]
    tags: dict[str, str]
    #: (metric, step, value), in the order they were logged.
    points: tuple[tuple[str, int, float], ...] = ()
