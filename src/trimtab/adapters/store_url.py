"""Parts of a store by their URL; what a part needs is loaded when it is opened."""

from pathlib import Path

from trimtab.ports.blobs import Blobs
from trimtab.ports.ledger import Ledger

#: Schemes of a URL under which a ledger, or blobs, can be reached.
LEDGER_SCHEMES = ("postgresql", "postgres")
BLOB_SCHEMES = ("s3",)


def open_ledger(url: str) -> Ledger:
    """The ledger in the database at `url`; its tables are made where they are missing.

    Raises:
        StoreError: It cannot be reached, or is a newer one.
        ConfigurationRefused: The database would not keep what it acknowledged.
    """
    from trimtab.adapters.postgres_ledger import PostgresLedger

    return PostgresLedger(url)


def open_blobs(url: str, copies: Path, copies_bytes: int) -> Blobs:
    """The blobs in the object store at `url`.

    Args:
        copies: Folder on this machine for copies of what is read.
        copies_bytes: What these may take together; 0: no copies.

    Raises:
        StoreError: It cannot be reached, or does not let us in.
        ConfigurationRefused: It overwrites what it was asked to create only.
    """
    from trimtab.adapters.cached_blobs import CachedBlobs
    from trimtab.adapters.s3_blobs import open_s3_blobs

    far = open_s3_blobs(url)
    return CachedBlobs(far, copies, limit_bytes=copies_bytes) if copies_bytes else far
