"""A schema: what a source's rows must look like, learnt from validated rows, held against training and serving."""

from typing import ClassVar

import msgspec

from trimtab.atoms.content.content import Content


class SchemaColumn(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one column; a rule that is None or empty does not bind."""

    name: str
    dtype: str
    #: Largest share of missing values, in [0, 1].
    max_missing: float
    #: All values a category may have; empty where the column is no category or has too many.
    domain: tuple[str, ...] = ()
    #: Largest share of values outside the domain, in [0, 1].
    max_unseen: float = 0.0
    low: float | None = None
    high: float | None = None


class Schema(Content, frozen=True, kw_only=True):
    """The columns that a source must have."""

    kind: ClassVar[str] = "schema"

    source: str
    columns: tuple[SchemaColumn, ...]
    #: The spans it was learnt from.
    learnt_from: tuple[str, ...] = ()
