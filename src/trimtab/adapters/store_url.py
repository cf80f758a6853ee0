"""Parts of a store by their URL; what a part needs is loaded when it is opened."""

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


def open_blobs(url: str) -> Blobs:
    """The blobs in the object store at `url`.

    Raises:
        StoreError: It cannot be reached, or does not let us in.
        ConfigurationRefused: It overwrites what it was asked to create only.
    """
    from trimtab.adapters.s3_blobs import open_s3_blobs

    return open_s3_blobs(url)
