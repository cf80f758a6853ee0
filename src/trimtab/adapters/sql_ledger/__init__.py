"""The ledger in SQL, whatever the database: what SQLite and PostgreSQL share."""
