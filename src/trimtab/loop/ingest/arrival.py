"""What an ingest has to look at: the files that are new, or all of them where an old one changed."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from trimtab.atoms.content.snapshot import Snapshot
from trimtab.atoms.error import UsageError
from trimtab.ports.stat_index import NOTHING, FileStat, Remembered, has_rested
from trimtab.rows.column import columns_of, dtype_of
from trimtab.rows.folder import stat_of
from trimtab.rows.moment import with_moments
from trimtab.rows.table import read_files
from trimtab.spec.source import Source


@dataclass(frozen=True, slots=True)
class Arrival:
    """The rows that were read."""

    rows: pl.DataFrame
    #: True where the rows come on top of the previous snapshot's; False where they replace them.
    adds: bool
    #: Rows without an event time: they belong to no span and are left out.
    undated: int


@dataclass(frozen=True, slots=True)
class Prints:
    """What tells a source's files from what they were."""

    #: The files' names, relative to the deepest folder that holds all, each with the SHA-256 of its bytes.
    names: dict[str, str]
    #: What spares the next look the reading.
    remembered: Remembered


def fingerprint(files: Sequence[Path]) -> dict[str, str]:
    """The files' names, relative to the deepest folder that holds all, each with the SHA-256 of its bytes.

    Raises:
        UsageError: A file is not there.
    """
    return read_prints(files, NOTHING, 0).names


def read_prints(files: Sequence[Path], known: Remembered, read_ns: int) -> Prints:
    """The prints of files, of which those that are as they were known are not read.

    Args:
        read_ns: The present moment, nanoseconds since 1970.

    Raises:
        UsageError: A file is not there.
    """
    if not files:
        return Prints({}, NOTHING)
    places = [os.path.abspath(file) for file in files]
    folder = os.path.commonpath([os.path.dirname(place) for place in places])
    stats, digests = {}, {}
    names = {}
    for place in places:
        path, stat = os.fsencode(place), _stat(place)
        same = known.stats.get(path) == stat
        digest = known.digests[path] if same else _digest(place)
        names[os.path.relpath(place, folder).replace(os.sep, "/")] = digest.hex()
        # What changed between the two looks was not seen as it is now.
        if has_rested(stat, read_ns) and (same or _stat(place) == stat):
            stats[path], digests[path] = stat, digest
    return Prints(names, Remembered(stats=stats, digests=digests))


def read_arrival(
    source: Source, files: Sequence[Path], prints: Mapping[str, str], previous: Snapshot | None
) -> Arrival:
    """Read the files that the previous snapshot does not have; all files where one of its own changed.

    Args:
        prints: Of `files`, in their order, from before they are read: a file that changes later is read again.

    Files that the previous snapshot knew come first: of two rows with one key the one known earlier stays.

    Raises:
        UsageError: A file cannot be read, or lacks a column that the source declares.
    """
    known: Mapping[str, str] = previous.files if previous is not None else {}
    new = [file for file, name in zip(files, prints, strict=True) if name not in known]
    if previous is not None and new and all(prints.get(name) == digest for name, digest in known.items()):
        rows, undated = _dated(source, read_files(new))
        aligned = _aligned(rows, previous)
        if aligned is not None:
            return Arrival(aligned, adds=True, undated=undated)
    old = [file for file, name in zip(files, prints, strict=True) if name in known]
    rows, undated = _dated(source, read_files([*old, *new]))
    return Arrival(rows, adds=False, undated=undated)


def _dated(source: Source, rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The rows with moments as moments, without those that have no event time, which are counted."""
    declared = {"key": source.key, "event_time": source.event_time, "known_time": source.known_time}
    where = f"source {source.name!r}"
    for word, name in declared.items():
        if name is not None and name not in rows.columns:
            there = ", ".join(rows.columns[:50])
            raise UsageError(f"{where}: {word}={name!r} is no column of {source.path}; there are {there}")
    if source.event_time is None:
        return rows, 0
    rows = with_moments(rows, source.event_time, where)
    if source.known_time is not None:
        rows = with_moments(rows, source.known_time, where)
    dated = rows.filter(pl.col(source.event_time).is_not_null())
    if dated.height == 0:
        raise UsageError(f"{where}: no row has a value in the event time column {source.event_time!r}")
    return dated, rows.height - dated.height


def _aligned(rows: pl.DataFrame, previous: Snapshot) -> pl.DataFrame | None:
    """The rows in the previous snapshot's columns and types; None where they do not fit as they are."""
    wanted = {column.name: dtype_of(column.dtype) for column in previous.columns}
    if not set(rows.columns) <= set(wanted):
        return None
    fitted = []
    for name, dtype in wanted.items():
        column = rows[name] if name in rows.columns else pl.Series(name, [None] * rows.height, dtype=dtype)
        empty = column.null_count() == column.len()
        widens = dtype == pl.Float64 and column.dtype.is_integer()
        if column.dtype != dtype and not empty and not widens:
            return None
        fitted.append(pl.Series(name, [None] * rows.height, dtype=dtype) if empty else column.cast(dtype))
    frame = pl.DataFrame(fitted)
    return frame if columns_of(frame) == previous.columns else None


def _stat(place: str) -> FileStat:
    try:
        return stat_of(os.stat(place))
    except FileNotFoundError as error:
        raise UsageError(f"{place} does not exist: a path is relative to the project's folder") from error


def _digest(place: str) -> bytes:
    try:
        with open(place, "rb") as content:
            return hashlib.file_digest(content, "sha256").digest()
    except IsADirectoryError as error:
        raise UsageError(f"{place} is a folder: name the files in it, as in '{place}/*.csv'") from error
    except OSError as error:
        raise UsageError(f"{place} cannot be read: {error.strerror}") from error
