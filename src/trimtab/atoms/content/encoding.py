"""An encoding: how the columns of a feature row become one row of float32, the same in training and serving."""

import msgspec


class ColumnEncoding(msgspec.Struct, frozen=True, kw_only=True):
    """One feature. A number is passed as it is (missing is NaN); a category becomes the number of its place.

    Category codes: 0 missing, 1 any other value, 2 + i the i-th category.
    """

    name: str
    dtype: str
    #: `number`, `boolean` or `category`.
    role: str
    #: The categories by frequency in training, most frequent first, ties by value.
    categories: tuple[str, ...] = ()
    #: True where training had more categories than are kept, so that `other` is an ordinary value.
    open: bool = False
    #: True where training saw the value missing, so that a missing value is an ordinary value.
    nullable: bool = True


class Encoding(msgspec.Struct, frozen=True, kw_only=True):
    """The features in their fixed order."""

    columns: tuple[ColumnEncoding, ...]
