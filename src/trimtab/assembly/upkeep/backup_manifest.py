"""What a backup says of itself: written last, so that a backup without it is not one."""

from typing import Any

import msgspec

from trimtab import __version__
from trimtab.atoms.canonical_json import canonical_json, plain
from trimtab.atoms.digest import digest_bytes
from trimtab.atoms.error import Damaged, StoreError, UsageError
from trimtab.ports.shelf import Shelf

#: Raised with every change of the layout; a program refuses a higher one than its own.
VERSION = 1
_DIGITS = 16


class LedgerSegment(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of the ledger, one a line: the record's name, a space, its canonical bytes."""

    first: int
    last: int
    #: Key of the blob that holds them.
    blob: str
    size_bytes: int


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the store's folder."""

    name: str
    mode: int
    size_bytes: int
    #: True where a file of this name and size always has the same bytes.
    grows_only: bool
    #: Keys of the blobs that it is made of, in order.
    pieces: tuple[str, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One backup: a store as it was when its ledger had `entries` entries."""

    version: int = VERSION
    #: UTC, ISO 8601.
    made_at: str
    program: str = __version__
    entries: int
    #: Chain value of the last entry: the digest of the whole ledger.
    chain: str
    ledger: tuple[LedgerSegment, ...]
    #: Key of the blob with the list of all blobs that the ledger names: key, space, bytes, a line each.
    inventory: str
    blobs: int
    blob_bytes: int
    files: tuple[KeptFile, ...]
    #: Whether the private signing key is in it.
    signing_key: bool

    def body(self) -> bytes:
        """The bytes that are kept."""
        return canonical_json(plain(self))

    def name(self) -> str:
        """Moment, number of entries and digest: names sort by time, and prove what they name."""
        moment = "".join(each for each in self.made_at[:23] if each not in ":-.") + "Z"
        return f"{moment}-{self.entries}-{digest_bytes(self.body())[:_DIGITS]}.json"


def read_manifest(shelf: Shelf, name: str) -> Manifest:
    """The manifest of this name.

    Raises:
        Damaged: Its bytes are not those that its name says.
        StoreError: A newer program wrote it.
    """
    body = shelf.read(name)
    if digest_bytes(body)[:_DIGITS] != name.removesuffix(".json").rpartition("-")[2]:
        raise Damaged(
            f"manifest {name} of the backup is damaged: restore another one (`trimtab backup --list`)"
        )
    found: dict[str, Any] = msgspec.json.decode(body)
    if found.get("version", 0) > VERSION:
        raise StoreError(
            f"manifest {name} was written by a newer Trimtab: upgrade with `pip install --upgrade trimtab`"
        )
    return msgspec.convert(found, Manifest)


def choose_manifest(shelf: Shelf, at: str | None) -> str:
    """Name of the newest backup, or of the newest whose name begins with `at`.

    Raises:
        UsageError: There is none.
    """
    names = [name for name in shelf.names() if name.startswith(at or "")]
    if not names:
        there = ", ".join(name.removesuffix(".json") for name in shelf.names()[-5:])
        raise UsageError(
            f"no backup {at!r} there: the newest are {there}"
            if there
            else "there is no finished backup there"
        )
    return names[-1]
