"""Tables at rest: Parquet with pinned settings, so that the same rows have the same bytes."""

import io
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from trimtab.atoms.error import UsageError
from trimtab.rows.csv_file import read_csv
from trimtab.rows.moment import MOMENT, as_moment, normal_moments

#: How every Parquet file starts and ends.
PARQUET_MAGIC = b"PAR1"


def table_bytes(frame: pl.DataFrame) -> bytes:
    """The frame as Parquet; equal frames give equal bytes under one version of polars."""
    buffer = io.BytesIO()
    frame.rechunk().write_parquet(
        buffer, compression="zstd", compression_level=3, statistics=True, row_group_size=100_000
    )
    return buffer.getvalue()


def read_table(content: bytes) -> pl.DataFrame:
    """The frame that `table_bytes` wrote."""
    return pl.read_parquet(io.BytesIO(content)).rechunk()


def read_files(paths: Sequence[Path]) -> pl.DataFrame:
    """Read CSV and Parquet files into one frame, in the order given.

    A column that a file lacks is missing in its rows. Types that differ between files are widened where no
    value changes (whole numbers to numbers, dates to moments); NaN and infinities are kept.

    Raises:
        UsageError: A file is absent, empty, damaged or ragged, or a column's types do not go together.
    """
    if not paths:
        raise UsageError("no files to read: give at least one CSV or Parquet file")
    frames = [_read_file(Path(path)) for path in paths]
    return frames[0] if len(frames) == 1 else _together(frames, [Path(path) for path in paths])


def _read_file(path: Path) -> pl.DataFrame:
    if path.is_dir():
        raise UsageError(f"{path} is a folder: name the files in it, as in '{path}/*.csv'")
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except FileNotFoundError as error:
        raise UsageError(f"{path} does not exist: a path is relative to the project's folder") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if not start:
        raise UsageError(f"{path} is empty: it needs a header line and at least one row")
    if start == PARQUET_MAGIC or path.suffix in (".parquet", ".pq"):
        return _read_parquet(path, start)
    return read_csv(path)


def _read_parquet(path: Path, start: bytes) -> pl.DataFrame:
    if start != PARQUET_MAGIC:
        raise UsageError(f"{path} is no Parquet file (no PAR1 at its start): write it again, or name it .csv")
    try:
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        found = str(error).splitlines()[0]
        raise UsageError(f"{path} is a damaged Parquet file: {found}; write it again") from error
    if frame.height == 0:
        raise UsageError(f"{path} has columns but no rows: give at least one row")
    plain = frame.with_columns(
        pl.col(pl.Categorical, pl.Enum).cast(pl.String), pl.selectors.decimal().cast(pl.Float64)
    )
    return normal_moments(plain)


def _together(frames: list[pl.DataFrame], paths: list[Path]) -> pl.DataFrame:
    """One frame of all: every column that any file has, in the type that holds every file's values."""
    types: dict[str, pl.DataType] = {}
    for frame, path in zip(frames, paths, strict=True):
        for name in frame.columns:
            dtype = _known_dtype(frame[name])
            if dtype is None:
                continue
            before = types.get(name)
            wider = dtype if before is None else _wider(before, dtype)
            if wider is None:
                raise UsageError(
                    f"{path}: column {name!r} is {dtype}, but {before} in the files before it: "
                    "write the column the same way in every file"
                )
            types[name] = wider
    names = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    cast = [
        frame.with_columns(_cast(frame[name], types.get(name, pl.String())) for name in frame.columns)
        for frame in frames
    ]
    return pl.concat(cast, how="diagonal", rechunk=True).select(names)


def _known_dtype(column: pl.Series) -> pl.DataType | None:
    """The column's type; None where it has no value to tell it by."""
    if column.dtype == pl.Null or (column.dtype == pl.String and column.null_count() == column.len()):
        return None
    return column.dtype


def _cast(column: pl.Series, dtype: pl.DataType) -> pl.Series:
    if dtype == MOMENT and column.dtype == pl.Date:
        return as_moment(column)
    if dtype != pl.String and column.dtype == pl.String:  # holds no value, or _wider had refused
        return pl.Series(column.name, [None] * column.len(), dtype=dtype)
    return column.cast(dtype)


def _wider(one: pl.DataType, other: pl.DataType) -> pl.DataType | None:
    """The type that holds the values of both unchanged; None where there is none."""
    if one == other:
        return one
    pair = (one, other)
    if all(dtype.is_integer() for dtype in pair):
        return pl.Int64()
    if all(dtype.is_numeric() for dtype in pair):
        return pl.Float64()
    if all(dtype == pl.Date or dtype == pl.Datetime for dtype in pair):
        return MOMENT
    return None
