"""Where a project remembers: a folder, and what of it lies in a database or an object store instead."""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from trimtab.adapters.local_store import open_store
from trimtab.adapters.store_url import BLOB_SCHEMES, LEDGER_SCHEMES, open_blobs, open_ledger
from trimtab.assembly.settings import FILE_NAME, StoreSettings
from trimtab.atoms.error import UsageError
from trimtab.engine.store import Store
from trimtab.ports.clock import Clock

_URL = re.compile(r"[a-z0-9+]+://\S*")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class StorePlace:
    """The parts of a store; a part without a place of its own lies in the folder."""

    #: Streams, online features, keys and what runs, always; ledger and blobs where they have no URL.
    folder: Path
    #: `postgresql://...`, or empty. May hold a password: never shown, never an argument of a process.
    ledger: str = ""
    #: `s3://bucket/prefix`, or empty.
    blobs: str = ""
    #: Most that copies of blobs that lie elsewhere may take in the folder; 0: no copies.
    copies_bytes: int = 0

    @property
    def words(self) -> str:
        """What `place_of` makes this place of again; may hold a password."""
        return " ".join(part for part in (str(self.folder), self.ledger, self.blobs) if part)

    def open(self, *, clock: Clock | None = None, create: bool = True, copies: bool = True) -> Store:
        """Open the store that is here.

        Args:
            clock: The time the store is read by; the machine's own where None.
            create: Whether to make a store where there is none.
            copies: False to read every blob where it really lies, as a proof that it is whole must.
        """
        kept = self.copies_bytes if copies else 0
        return open_store(
            self.folder,
            clock=clock,
            create=create,
            ledger=(lambda: open_ledger(self.ledger)) if self.ledger else None,
            blobs=(lambda: open_blobs(self.blobs, self.folder / "copies", kept)) if self.blobs else None,
        )


def place_of(settings: StoreSettings, root: Path, words: str | None = None) -> StorePlace:
    """The place that `trimtab.toml` names, with what `words` name in its stead.

    Args:
        root: The project's folder, to which the settings' folder is relative.
        words: Of `--store` or `TRIMTAB_STORE`; its folder is relative to the present one.

    Raises:
        UsageError: A URL is of no known kind, or names a variable that is not set.
    """
    where = f"{FILE_NAME}: [store]"
    place = StorePlace(folder=root / ".trimtab", copies_bytes=settings.copies_bytes)
    place = _with(place, settings.url, root, f"{where} url")
    place = _with(place, settings.ledger, root, f"{where} ledger")
    place = _with(place, settings.blobs, root, f"{where} blobs")
    return _with(place, words or "", Path.cwd(), "--store")


def _with(place: StorePlace, words: str, base: Path, where: str) -> StorePlace:
    """`place` with what `words` name in its stead; a folder among them stands for all that has no URL there."""
    folder, ledger, blobs = words, "", ""
    for found in _URL.findall(words):
        folder = folder.replace(found, "", 1)
        url = _VARIABLE.sub(lambda variable: _value(variable[1], where), found)
        scheme = url.partition("://")[0]
        if scheme == "file":
            folder += url.removeprefix("file://")
        elif scheme in LEDGER_SCHEMES:
            ledger = url
        elif scheme in BLOB_SCHEMES:
            blobs = url
        else:
            raise UsageError(
                f"{where}: no store is reached by {scheme}://: give a folder, postgresql://... for the ledger, "
                "s3://bucket/prefix for the blobs, or several of these with spaces between them"
            )
    if folder.strip():
        place = replace(place, folder=base / folder.strip(), ledger="", blobs="")
    return replace(place, ledger=ledger or place.ledger, blobs=blobs or place.blobs)


def _value(name: str, where: str) -> str:
    if name not in os.environ:
        raise UsageError(f"{where}: the environment has no variable {name}: set it")
    return os.environ[name]
