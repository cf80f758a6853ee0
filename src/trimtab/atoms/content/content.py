"""What every kind of content shares: a name, a canonical form, and the blobs it points to."""

from collections.abc import Iterator
from typing import Any, ClassVar, Self

import msgspec

from trimtab.atoms.canonical_json import canonical_json, plain

#: Every kind of content by its name; filled as the modules of this folder are imported.
KINDS: dict[str, type["Content"]] = {}


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that content points to: a Parquet table, an ONNX graph, a source file."""

    #: SHA-256 of the bytes: the key of the blob.
    blob: str
    size_bytes: int
    media_type: str = "application/octet-stream"


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """Root of the content records; a subclass states its `kind`."""

    kind: ClassVar[str] = ""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.kind:
            KINDS[cls.kind] = cls

    def canonical_bytes(self) -> bytes:
        """The bytes that are kept and digested; `parse` and this again give the same bytes."""
        return canonical_json(plain(self))

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read what `canonical_bytes` wrote, strictly: a missing field or a wrong type is an error."""
        return msgspec.json.decode(body, type=cls)

    def parts(self) -> Iterator[Part]:
        """Every blob that this content needs to be whole."""
        yield from _parts(self)


def _parts(value: Any) -> Iterator[Part]:
    if isinstance(value, Part):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _parts(getattr(value, name))
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _parts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _parts(item)
