"""A scorecard: how a model did on rows that it never saw, beside what it must beat."""

from typing import ClassVar

import msgspec

from trimtab.atoms.content.content import Content


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of one predictor on one set of rows, with its 95 % interval by time blocks."""

    #: `challenger`, `champion`, `baseline` or `constant`.
    who: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    #: `column=value`; empty for all rows.
    where: str = ""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The challenger against another predictor on the same rows; positive is better for the challenger."""

    against: str
    metric: str
    difference: float | None
    low: float | None
    high: float | None
    n: int
    blocks: int
    #: `better`, `no-worse`, `worse` or `cannot-tell`.
    verdict: str
    #: Labels that would decide it, where it cannot be told.
    labels_needed: int | None = None
    where: str = ""


class Scorecard(Content, frozen=True, kw_only=True):
    """The evaluation of one model."""

    kind: ClassVar[str] = "scorecard"

    model: str
    #: Artifact ids of the model, and of the champion's bundle where there was one.
    candidate: str
    champion: str | None
    rows: int
    blocks: int
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]


class ScoresOf(msgspec.Struct, frozen=True):
    """The fields of a scorecard that a list of runs shows; the others are passed over unread."""

    candidate: str
    scores: tuple[Score, ...]
