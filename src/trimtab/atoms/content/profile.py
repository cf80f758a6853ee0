"""A profile: what one pass over a span's rows says of each column."""

from typing import ClassVar

import msgspec

from trimtab.atoms.content.content import Content


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """One column of one span. Bins are frozen at the baseline, so profiles over them add up."""

    name: str
    dtype: str
    #: `numeric`, `category`, `time` or `other`: decides which of the fields below are filled.
    shape: str
    n: int
    n_missing: int
    n_nan: int = 0
    n_inf: int = 0
    n_unique: int | None = None
    mean: float | None = None
    std: float | None = None
    low: float | None = None
    high: float | None = None
    #: Inner bin edges of a numeric column, increasing.
    edges: tuple[float, ...] = ()
    #: Category of each bin; the last bin of a category column is `everything else`.
    categories: tuple[str, ...] = ()
    #: Rows per bin: numeric len(edges) + 1 (below, inner, above), category len(categories) + 1 (the last: all others).
    counts: tuple[int, ...] = ()
    #: Rows outside the baseline's range or among none of its categories.
    n_alien: int = 0


class Profile(Content, frozen=True, kw_only=True):
    """The columns of one span (or window), profiled over the same bins as its baseline."""

    kind: ClassVar[str] = "profile"

    #: The source's or the model's name.
    subject: str
    span: str
    rows: int
    columns: tuple[ColumnProfile, ...]

    def column(self, name: str) -> ColumnProfile | None:
        """The profile of one column, or None where the span does not have it."""
        return next((column for column in self.columns if column.name == name), None)
