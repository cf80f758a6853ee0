"""The one byte form of a skops file: the same estimator gives the same bytes in every process."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

#: The first moment that a zip file can name.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def canonical_skops(content: bytes) -> bytes:
    """Replace memory addresses by counts, put sets in order, and forget when the file was written.

    Raises:
        ValueError: The bytes are no skops file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
            schema = json.loads(files.pop("schema.json"))
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ValueError("the bytes are no skops file") from error
    _order_sets(schema)
    counts: dict[int, int] = {}
    renamed: dict[str, str] = {}
    for node in _nodes(schema):
        if "__id__" in node:
            # Whether two equal plain values are one object is chance; whether two arrays are is not.
            shared = node.get("__loader__") != "JsonNode"
            place = counts.get(node["__id__"]) if shared else None
            if place is None:
                place = len(counts) + 1
                counts[node["__id__"] if shared else -place] = place
            node["__id__"] = place
        if "file" in node:
            name = node["file"]
            renamed.setdefault(name, f"{len(renamed)}.{name.rpartition('.')[2]}")
            node["file"] = renamed[name]
    schema_bytes = json.dumps(schema, sort_keys=False, separators=(",", ":")).encode()
    return _zipped({"schema.json": schema_bytes, **{renamed[name]: files[name] for name in renamed}})


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in `value`, parents first, in the order written."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting += reversed(list(item.values()))
        elif isinstance(item, list):
            waiting += reversed(item)


def _order_sets(schema: Any) -> None:
    for node in _nodes(schema):
        if node.get("__loader__") == "SetNode":
            node["content"].sort(key=_without_ids)


def _without_ids(value: Any) -> str:
    return json.dumps(
        {key: item for key, item in value.items() if key != "__id__"} if isinstance(value, dict) else value,
        sort_keys=True,
    )


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            entry.create_system = 3
            archive.writestr(entry, files[name], compresslevel=6)
    return buffer.getvalue()
