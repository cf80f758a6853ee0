"""A stored model: the files of a version that somebody brought, as they were when it was registered."""

from typing import ClassVar

import msgspec

from trimtab.atoms.content.content import Content, Part


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file, in one or more pieces."""

    #: Relative to the model's folder, parted by `/`.
    path: str
    size_bytes: int
    #: In order; together they are the content.
    pieces: tuple[Part, ...]


class StoredModel(Content, frozen=True, kw_only=True):
    """Files in the order of their paths. Compared and handed out as they are; never opened and never served."""

    kind: ClassVar[str] = "stored-model"

    files: tuple[StoredFile, ...]
