"""What exists: an artifact is a name for content that never changes."""

import msgspec

from trimtab.atoms.content.content import Content
from trimtab.atoms.digest import digest_bytes, digest_value


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable thing that an Action made. Its content is one blob: canonical JSON that may name further blobs."""

    #: Digest of the kind and the content; the same thing made twice has the same id.
    id: str
    #: What sort of thing it is: one of the kinds in `atoms.content`.
    kind: str
    #: SHA-256 of the content's bytes: the key of its blob.
    content: str
    #: Bytes of the content itself, without the blobs that it names.
    size_bytes: int
    media_type: str = "application/json"


def artifact_id(kind: str, content: str) -> str:
    """The id that an artifact of this kind and content digest must have."""
    return digest_value("artifact", {"kind": kind, "content": content})


def artifact_of(content: Content) -> tuple[Artifact, bytes]:
    """The artifact that `content` is, with the bytes to keep under its content digest."""
    body = content.canonical_bytes()
    key = digest_bytes(body)
    kind = type(content).kind
    return Artifact(id=artifact_id(kind, key), kind=kind, content=key, size_bytes=len(body)), body
