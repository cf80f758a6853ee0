"""The ledger in a PostgreSQL database."""

from trimtab.adapters.postgres_ledger.ledger import PostgresLedger

__all__ = ["PostgresLedger"]
