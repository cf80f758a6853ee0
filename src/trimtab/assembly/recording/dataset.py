"""Data that a run reads, described: name, digest, columns and counts; the rows stay where they are."""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from trimtab.assembly.recording.way import chunks_of
from trimtab.atoms.error import UsageError
from trimtab.atoms.run import LoggedDataset
from trimtab.tracking.rule import require_name

#: Hex digits of a digest that are told.
_DIGITS = 32
_SNAPSHOT_ID = re.compile(r"[0-9a-f]{64}")
#: Characters of a description of columns at most; a longer one is not told.
_MOST_SCHEMA = 1_000_000
#: MLflow's words for types of columns, by how the names of ours begin.
_WORDS = {
    "bool": "boolean",
    "int8": "integer",
    "int16": "integer",
    "int32": "integer",
    "uint8": "integer",
    "uint16": "integer",
    "int64": "long",
    "uint": "long",
    "float32": "float",
    "float": "double",
    "datetime": "datetime",
    "date": "datetime",
    "binary": "binary",
}


def describe(data: Any, name: str | None, context: str) -> LoggedDataset:
    """What is kept of `data`: a frame of pandas or polars, a NumPy array, a path, or the id of a snapshot.

    The digest of a frame depends on its columns, rows and their order; equal frames have the same one in every process
    with the same version of their library.

    Raises:
        UsageError: It is none of these, or there is no such file.
    """
    library = type(data).__module__.partition(".")[0]
    if isinstance(data, (str, os.PathLike)):
        told = _of_text(os.fspath(data))
    elif library == "polars" and hasattr(data, "write_ipc"):
        told = _of_polars(data)
    elif library == "pandas" and hasattr(data, "columns"):
        told = _of_pandas(data)
    elif library == "numpy" and hasattr(data, "tobytes"):
        told = _of_array(data)
    else:
        raise UsageError(
            f"{type(data).__name__} is no dataset that can be described: give a frame of pandas or polars (a lazy one "
            "collected), a NumPy array, the path of a file or a folder, or the id of a snapshot"
        )
    called = require_name(str(name), "dataset") if name is not None else told.name or "dataset"
    return msgspec.structs.replace(
        told, name=called, tags={"mlflow.data.context": str(context)} if context else {}
    )


def _of_text(text: str) -> LoggedDataset:
    path = Path(text)
    if path.exists():
        return _of_path(path)
    if _SNAPSHOT_ID.fullmatch(text):
        return LoggedDataset(name="snapshot", digest=text, source_type="trimtab-snapshot", source=text)
    raise UsageError(
        f"{text}: there is no such file or folder, and it is no id of a snapshot (64 hex digits)"
    )


def _of_path(path: Path) -> LoggedDataset:
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    digest, size_bytes = hashlib.sha256(), 0
    for each in files:
        own = hashlib.sha256()
        for chunk in chunks_of(each):
            own.update(chunk)
            size_bytes += len(chunk)
        if path.is_file():
            digest = own
            break
        digest.update(each.relative_to(path).as_posix().encode() + b"\0" + own.digest())
    return LoggedDataset(
        name=path.resolve().stem,
        digest=digest.hexdigest()[:_DIGITS],
        source_type="local",
        source=str(path.resolve()),
        profile=_json({"num_files": len(files), "size_bytes": size_bytes}),
    )


def _of_polars(frame: Any) -> LoggedDataset:
    columns = [(name, str(dtype), True) for name, dtype in frame.schema.items()]
    digest = hashlib.sha256(_json([columns, frame.height]).encode())
    if columns:
        digest.update(frame.hash_rows(seed=1).to_numpy().tobytes())
    return _table(digest.hexdigest(), columns, frame.height)


def _of_pandas(frame: Any) -> LoggedDataset:
    import pandas as pd

    digest = hashlib.sha256()
    table = frame.to_frame() if not hasattr(frame, "dtypes") or frame.ndim == 1 else frame
    columns = [(str(name), str(dtype), True) for name, dtype in table.dtypes.items()]
    digest.update(_json(columns).encode())
    try:
        digest.update(pd.util.hash_pandas_object(table, index=True).to_numpy().tobytes())
    except TypeError as error:
        raise UsageError(
            f"a column of the frame holds values without a digest ({error}): leave it out, or make it text"
        ) from error
    return _table(digest.hexdigest(), columns, len(table))


def _of_array(array: Any) -> LoggedDataset:
    kind = f"{array.dtype.str} {array.shape}"
    if array.dtype.hasobject:
        raise UsageError("an array of objects has no digest: give a frame, or an array of numbers or text")
    digest = hashlib.sha256(kind.encode())
    digest.update(array.tobytes())
    tensor = {"type": "tensor", "tensor-spec": {"dtype": str(array.dtype), "shape": [-1, *array.shape[1:]]}}
    return LoggedDataset(
        name="",
        digest=digest.hexdigest()[:_DIGITS],
        source_type="memory",
        schema=_json({"mlflow_tensorspec": [tensor]}),
        profile=_json({"num_rows": len(array) if array.ndim else 1, "num_elements": int(array.size)}),
    )


def _table(digest: str, columns: Iterable[tuple[str, str, bool]], rows: int) -> LoggedDataset:
    listed = [{"name": name, "type": _word(dtype), "required": required} for name, dtype, required in columns]
    schema = _json({"mlflow_colspec": listed})
    return LoggedDataset(
        name="",
        digest=digest[:_DIGITS],
        source_type="memory",
        schema=schema if len(schema) <= _MOST_SCHEMA else "",
        profile=_json({"num_rows": rows, "num_elements": rows * len(listed)}),
    )


def _word(dtype: str) -> str:
    lower = dtype.lower()
    return next((word for begins, word in _WORDS.items() if lower.startswith(begins)), "string")


def _json(value: Mapping[str, Any] | list[Any]) -> str:
    return msgspec.json.encode(value).decode()
