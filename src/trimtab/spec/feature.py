"""Features: the user's functions over rows, declared once and used for training and serving alike."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trimtab.spec.source import Source

#: A function from polars.LazyFrame to polars.LazyFrame; spelled Any so that declarations do not load polars.
RowsFunction = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class FeatureView:
    """Features of an entity over time, joined to rows as of their event time."""

    name: str
    source: Source
    #: Column that the view and the rows share.
    entity: str
    compute: RowsFunction
    #: Oldest value that may be used, such as `3h`; None: any age.
    max_age: str | None = None


@dataclass(frozen=True, slots=True)
class RequestFeatures:
    """Features computed from the row itself."""

    name: str
    compute: RowsFunction


Feature = FeatureView | RequestFeatures
