"""A feature table: model inputs and target by row, point in time correct."""

from typing import ClassVar

from trimtab.atoms.content.content import Content
from trimtab.atoms.content.snapshot import Column, Span


class FeatureTable(Content, frozen=True, kw_only=True):
    """One table a span: the row's key and event time, the features in their fixed order, and the target."""

    kind: ClassVar[str] = "feature-table"

    model: str
    spans: tuple[Span, ...]
    #: The features in the order that training and serving share.
    features: tuple[Column, ...]
    target: str
    key: str | None = None
    event_time: str | None = None
    #: Columns kept beside the features to slice by.
    slices: tuple[str, ...] = ()
    #: Digest of the feature code: the user's functions and all that they call.
    code: str = ""
