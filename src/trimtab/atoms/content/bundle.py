"""A bundle: the signed package that is served."""

from typing import Any, ClassVar

import msgspec

from trimtab.atoms.canonical_json import canonical_json, plain
from trimtab.atoms.content.content import Content, Part
from trimtab.atoms.content.encoding import Encoding
from trimtab.atoms.content.model import Environment, SourceFile
from trimtab.atoms.content.snapshot import Column


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """The parity certificate: the compiled model's answers beside the training model's on real rows."""

    rows: int
    #: Rows whose answers differ by more than the tolerance.
    differing: int
    largest_difference: float
    tolerance: float


class ViewInput(msgspec.Struct, frozen=True, kw_only=True):
    """A feature view that the model reads at serving time."""

    view: str
    entity: str
    #: Columns that the view adds, in order, with their types.
    columns: tuple[Column, ...]
    #: Oldest value that may be used, in seconds; None: any age.
    max_age_seconds: float | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All that a prediction depends on; this is what is signed."""

    model: str
    #: Artifact id of the trained model.
    trained: str
    task: str
    classes: tuple[Any, ...]
    target: str
    #: `onnx`: compiled; `native`: the training library itself, in a child process.
    runtime: str
    graph: Part
    encoding: Encoding
    #: Columns that a request's row must have.
    inputs: tuple[Column, ...]
    #: Names of the request feature functions in the project file, in order.
    request_features: tuple[str, ...]
    views: tuple[ViewInput, ...]
    #: Columns logged to slice and monitor by.
    slices: tuple[str, ...]
    key: str | None
    event_time: str | None
    code: str
    files: tuple[SourceFile, ...]
    environment: Environment
    parity: Parity
    #: JSON: {"rows": request rows, "features": encoded rows, "outputs": answers}; reproduced before a bundle is ready.
    golden: Part
    #: Module of the project file among `files`.
    project_module: str = "project"
    #: Parquet: what the model answered on held-out rows, to hold live answers against.
    holdout_answers: Part | None = None


class Bundle(Content, frozen=True, kw_only=True):
    """A manifest under an Ed25519 signature."""

    kind: ClassVar[str] = "bundle"

    manifest: Manifest
    #: Hex; over the manifest's canonical bytes.
    signature: str
    #: Hex; the first 16 digits of the public key's SHA-256.
    key_id: str

    def signed_bytes(self) -> bytes:
        """What the signature is over."""
        return manifest_bytes(self.manifest)


def manifest_bytes(manifest: Manifest) -> bytes:
    """Canonical bytes of a manifest."""
    return canonical_json(plain(manifest))
