"""A snapshot: a source as it was at one ingest: the rows of a table by span, or the files of a folder."""

from typing import ClassVar

import msgspec

from trimtab.atoms.content.content import Content, Part


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column's name and its type in polars' words, such as `Int64` or `String`."""

    name: str
    dtype: str


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of rows that arrives, is judged and is quarantined as one."""

    #: `2013-01`, `2013-01-17`, or a number where the source has no event time.
    name: str
    rows: int
    #: One Parquet table.
    table: Part
    #: First and last event time, UTC ISO 8601; None where the source has none.
    first: str | None = None
    last: str | None = None
    #: Rows dropped because a row with the same key was already there.
    duplicates: int = 0
    #: Rows whose event time lies in a span that was already closed when they came.
    late: int = 0


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a snapshot whose source is a folder: lists that name them, and the blobs their bytes lie in."""

    #: Where it lay, from the project's folder, parted by `/`; empty where that is not below the project.
    place: str
    #: Files, links counted as files.
    files: int
    #: Bytes of all files.
    size_bytes: int
    #: File lists (`rows.file_list`) in order of path; snapshots share those in which nothing changed.
    lists: tuple[Part, ...]
    #: Every blob that a list points into, in order of its key.
    packs: tuple[Part, ...]


class Snapshot(Content, frozen=True, kw_only=True):
    """All spans of a source that were known at one ingest; snapshots share the blobs of unchanged spans."""

    kind: ClassVar[str] = "snapshot"

    source: str
    columns: tuple[Column, ...]
    #: In order of time.
    spans: tuple[Span, ...]
    key: str | None = None
    event_time: str | None = None
    known_time: str | None = None
    #: The files that were read, by name, with their SHA-256: an unchanged file is not read again.
    files: dict[str, str] = msgspec.field(default_factory=dict)
    #: What the source is where it is a folder: it has no columns and no spans then; None for a table.
    folder: Folder | None = None
