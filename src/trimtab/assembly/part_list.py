"""The parts that an artifact's content names, whatever kind it is of."""

import importlib
import pkgutil

import msgspec

from trimtab.atoms import content as content_kinds
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.content import KINDS, Part
from trimtab.atoms.error import StoreError
from trimtab.atoms.law import label

for _module in pkgutil.iter_modules(content_kinds.__path__):
    importlib.import_module(f"{content_kinds.__name__}.{_module.name}")


def parts_of(artifact: Artifact, body: bytes) -> list[Part]:
    """Every part that the artifact needs to be whole.

    Args:
        body: The bytes of its content.

    Raises:
        StoreError: This program does not know the kind, or the content cannot be read as one.
    """
    if artifact.kind not in KINDS:
        raise StoreError(f"{label(artifact)}: this Trimtab knows no such kind: upgrade it to read this store")
    try:
        return list(KINDS[artifact.kind].parse(body).parts())
    except msgspec.DecodeError as error:
        raise StoreError(f"{label(artifact)}: its content cannot be read: {error}") from error
