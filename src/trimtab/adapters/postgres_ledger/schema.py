"""The ledger's tables in PostgreSQL, and their migration.

There is no file to copy before a migration: `pg_dump` or `trimtab backup` make the copy.
"""

from typing import Any

import psycopg

from trimtab.adapters.postgres_ledger.url import PostgresUrl
from trimtab.adapters.sql_ledger.migration import VERSION, Step, stated_version, take_step
from trimtab.adapters.sql_ledger.table import Tables
from trimtab.atoms.entry import GENESIS
from trimtab.atoms.error import StoreError

#: What a ledger of any version has.
_ALWAYS = {"meta", "entry", "lease"}

STEPS = (
    Step(
        1,
        """
        CREATE TABLE meta (name text PRIMARY KEY, value bigint NOT NULL)

        CREATE TABLE entry (
            seq bigint PRIMARY KEY, name text NOT NULL, id text COLLATE "C" NOT NULL,
            body bytea NOT NULL, chain text NOT NULL
        )

        CREATE UNIQUE INDEX entry_by_id ON entry (id) WHERE name <> 'closing'

        CREATE UNIQUE INDEX closing_by_action ON entry (id) WHERE name = 'closing'

        CREATE TABLE lease (
            name text PRIMARY KEY, token bigint NOT NULL, holder text NOT NULL, until double precision NOT NULL
        )

        CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'restrict_violation'; END $$

        CREATE TRIGGER entry_never_changes BEFORE UPDATE OR DELETE ON entry
        FOR EACH ROW EXECUTE FUNCTION never()

        CREATE TRIGGER entry_never_goes BEFORE TRUNCATE ON entry
        FOR EACH STATEMENT EXECUTE FUNCTION never()

        INSERT INTO meta VALUES ('version', 1), ('last_token', 0)
        """,
    ),
    Step(
        2,
        f"""
        CREATE TABLE append_key (key text PRIMARY KEY, digest text NOT NULL, seq bigint NOT NULL)

        CREATE TRIGGER append_key_never_changes BEFORE UPDATE OR DELETE ON append_key
        FOR EACH ROW EXECUTE FUNCTION never()

        CREATE TRIGGER append_key_never_goes BEFORE TRUNCATE ON append_key
        FOR EACH STATEMENT EXECUTE FUNCTION never()

        CREATE TABLE head (one integer PRIMARY KEY CHECK (one = 1), seq bigint NOT NULL, chain text NOT NULL)

        INSERT INTO head SELECT 1, coalesce((SELECT max(seq) FROM entry), 0),
            coalesce((SELECT chain FROM entry ORDER BY seq DESC LIMIT 1), '{GENESIS}')
        """,
    ),
)


def prepare(connection: "psycopg.Connection[Any]", tables: Tables, url: PostgresUrl) -> None:
    """Bring the schema to this program's version; who comes second waits for the first.

    Raises:
        StoreError: The schema holds something else, or was written by a newer Trimtab; it is left as it was.
        psycopg.Error: As the server says; nothing of the step that failed stays.
    """
    while _version(tables, url) < VERSION:
        with connection.transaction():
            tables.execute("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", (f"trimtab.{url.schema}",))
            if (
                tables.execute("SELECT 1 FROM pg_namespace WHERE nspname = ?", (url.schema,)).fetchone()
                is None
            ):
                tables.execute(f'CREATE SCHEMA "{url.schema}"')
            version = _version(tables, url)
            if version < VERSION:
                take_step(tables, STEPS, version)


def _version(tables: Tables, url: PostgresUrl) -> int:
    """The version of the tables that are there; 0 where there are none."""
    found = tables.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = ? AND tablename IN ('meta', 'entry', 'lease')",
        (url.schema,),
    ).fetchall()
    if not found:
        return 0
    if _ALWAYS - {name for (name,) in found}:
        raise StoreError(
            f"{url.shown}: the schema {url.schema!r} holds tables of something else than Trimtab: "
            "name another one with ?schema=NAME"
        )
    return stated_version(tables, url.shown)
