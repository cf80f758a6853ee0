"""The ledger in one SQLite file."""

from trimtab.adapters.sqlite_ledger.ledger import SqliteLedger

__all__ = ["SqliteLedger"]
