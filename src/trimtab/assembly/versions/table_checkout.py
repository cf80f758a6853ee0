"""A version of a table written as CSV, as one file, or as it was known at a past moment."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl

from trimtab.adapters.workspace import Workspace
from trimtab.assembly.versions.data_checkout import Request
from trimtab.assembly.versions.folder_checkout import CheckedOut
from trimtab.atoms.error import UsageError
from trimtab.engine.store import Store
from trimtab.loop.ingest.folder import Progress
from trimtab.rows.table import read_table, table_bytes

FORMATS = ("parquet", "csv")


def one_file(target: Path) -> bool:
    """Whether a target names one file and not a folder."""
    return target.suffix.lstrip(".") in FORMATS


def check_out_rows(
    store: Store, wanted: Request, form: str, *, force: bool, progress: Progress
) -> CheckedOut:
    """Write the rows that were asked for: one file where the target is called so, else one a span.

    Args:
        form: `parquet` or `csv`.

    Raises:
        UsageError: A file is there already and `force` is False; nothing was changed.
    """
    done = CheckedOut()
    single = one_file(wanted.target)
    folder = wanted.target.parent if single else wanted.target
    names = [wanted.target.name] if single else [f"{span.name}.{form}" for span in wanted.spans]
    there = [name for name in names if (folder / name).exists()]
    if there and not force:
        raise UsageError(
            f"{folder / there[0]} is there already: --force overwrites it, --to names another place"
        )
    with Workspace(str(folder)) as workspace:
        tables = _tables(store, wanted)
        together = iter([pl.concat([rows for _, rows in tables], how="diagonal_relaxed")]) if single else None
        parts = (
            zip(names, together, strict=True) if together else ((f"{n}.{form}", rows) for n, rows in tables)
        )
        for number, (name, rows) in enumerate(parts, start=1):
            content = _written(rows, form)
            workspace.write(os.fsencode(name), False, content)
            done.written += 1
            done.written_bytes += len(content)
            progress(number, len(names))
    return done


def _tables(store: Store, wanted: Request) -> Iterator[tuple[str, pl.DataFrame]]:
    for span in wanted.spans:
        rows = read_table(store.part(span.table))
        yield span.name, _known_by(rows, wanted.snapshot.known_time, wanted.known_by)


def _known_by(rows: pl.DataFrame, column: str | None, moment: datetime | None) -> pl.DataFrame:
    """The rows that were known at a moment; a row without a known time was known when it happened."""
    if column is None or moment is None:
        return rows
    return rows.filter(pl.col(column).is_null() | (pl.col(column) <= moment))


def _written(rows: pl.DataFrame, form: str) -> bytes:
    return table_bytes(rows) if form == "parquet" else rows.write_csv().encode()
