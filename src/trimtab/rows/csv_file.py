"""One CSV file, read whole: what is wrong with it is said once, with the line."""

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from trimtab.atoms.error import UsageError
from trimtab.rows.moment import parse_moments

#: Texts that mean: no value.
MISSING = ["", "NA", "NaN", "null"]

#: Non-missing values that a column's likely type is guessed from before the whole column is tried.
SAMPLE = 1000


def read_csv(path: Path) -> pl.DataFrame:
    """Read a CSV file (also gzipped; separated by comma, semicolon or tab).

    A column has a type only where every value has it; any other column stays text. The whole column decides,
    not its first rows: polars' own inference over a whole file takes 20 times as long.

    Raises:
        UsageError: Not UTF-8, ragged, empty, or two columns with one name; names file and line.
    """
    raw = _content(path)
    header, separator = _header(raw, path)
    try:
        texts = pl.read_csv(
            raw, separator=separator, infer_schema=False, null_values=MISSING, raise_if_empty=False
        ).rechunk()
    except pl.exceptions.PolarsError as error:
        _refuse_ragged(raw, header, separator, path)
        raise UsageError(f"{path} cannot be read as CSV: {str(error).splitlines()[0]}") from error
    if b'"' in raw or raw.count(separator.encode()) != (len(header) - 1) * (texts.height + 1):
        _refuse_ragged(raw, header, separator, path)
    if _has_blank_line(raw):
        texts = texts.filter(~pl.all_horizontal(pl.all().is_null()))
    if texts.height == 0:
        raise UsageError(f"{path} has a header but no rows: give at least one row")
    return texts.with_columns(_typed(column) for column in texts)


def _content(path: Path) -> bytes:
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError) as error:
            raise UsageError(f"{path} is a damaged gzip file: {error}") from error
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path}, line {line}: byte 0x{raw[error.start]:02x} is not UTF-8: save the file as UTF-8"
        ) from error
    if not raw.strip():
        raise UsageError(f"{path} is empty: it needs a header line and at least one row")
    return raw.lstrip(b"\r\n")


def _header(raw: bytes, path: Path) -> tuple[list[str], str]:
    """The column names and the separator they are parted by."""
    first = raw[: raw.find(b"\n") + 1 or len(raw)].decode().rstrip("\r\n")
    separator = next((mark for mark in ",;\t" if mark in first), ",")
    names = next(_lines(raw, separator))[1]
    seen: set[str] = set()
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise UsageError(f"{path}, line 1: column {place} has no name: give every column a name")
        if name in seen:
            raise UsageError(f"{path}, line 1: two columns are called {name!r}: rename one")
        seen.add(name)
    return names, separator


def _lines(raw: bytes, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(raw.decode(), newline=""), delimiter=separator)
    end = 0
    for fields in reader:
        yield end + 1, fields
        end = reader.line_num


def _refuse_ragged(raw: bytes, header: list[str], separator: str, path: Path) -> None:
    """Raise for the first line with more or fewer fields than the header; blank lines are passed over."""
    try:
        for line, fields in _lines(raw, separator):
            if fields and len(fields) != len(header):
                raise UsageError(
                    f"{path}, line {line}: {len(fields)} fields, but the header has {len(header)}: "
                    "quote values that hold a separator, and end every line"
                )
    except csv.Error as error:
        raise UsageError(f"{path} cannot be read as CSV: {error}") from error


def _has_blank_line(raw: bytes) -> bool:
    return b"\n\n" in raw or b"\n\r\n" in raw


def _typed(column: pl.Series) -> pl.Series:
    """The column in the narrowest type that every value has."""
    sample = column.drop_nulls().head(SAMPLE)
    if sample.len() == 0:
        return column
    for convert in (_whole, _number, _boolean, _date, _moment):
        if convert(sample) is not None and (converted := convert(column)) is not None:
            return converted
    return column


def _unless_lost(column: pl.Series, converted: pl.Series) -> pl.Series | None:
    return converted if converted.null_count() == column.null_count() else None


def _whole(column: pl.Series) -> pl.Series | None:
    return _unless_lost(column, column.cast(pl.Int64, strict=False))


def _number(column: pl.Series) -> pl.Series | None:
    return _unless_lost(column, column.cast(pl.Float64, strict=False))


def _boolean(column: pl.Series) -> pl.Series | None:
    words = {"true": True, "false": False}
    lower = column.str.to_lowercase()
    return _unless_lost(column, lower.replace_strict(words, default=None, return_dtype=pl.Boolean))


def _date(column: pl.Series) -> pl.Series | None:
    return _unless_lost(column, column.str.to_date("%Y-%m-%d", strict=False))


def _moment(column: pl.Series) -> pl.Series | None:
    return _unless_lost(column, parse_moments(column))
