"""What an address must be, what a server must be like, and that no message ever holds the password."""

import subprocess
import sys
import traceback

import psycopg
import pytest

from parts.postgres import PASSWORD, PostgresServer
from trimtab.adapters.postgres_ledger import PostgresLedger
from trimtab.adapters.postgres_ledger import connection as connections
from trimtab.adapters.postgres_ledger.url import read_url
from trimtab.atoms.error import ConfigurationRefused, StoreError, TrimtabError, UsageError


@pytest.mark.parametrize(
    ("url", "parameters", "schema", "shown"),
    [
        (
            "postgresql://ada:s3c%2Fret@db:5433/memory",
            {"user": "ada", "password": "s3c/ret", "host": "db", "port": "5433", "dbname": "memory"},
            "trimtab",
            "postgresql://ada@db:5433/memory",
        ),
        (
            "postgres://ada:p@ss@db/memory?schema=team_a&sslmode=require",
            {"user": "ada", "password": "p@ss", "host": "db", "dbname": "memory", "sslmode": "require"},
            "team_a",
            "postgresql://ada@db/memory?schema=team_a",
        ),
        ("postgresql://", {}, "trimtab", "postgresql:///"),
        ("postgresql:///memory", {"dbname": "memory"}, "trimtab", "postgresql:///memory"),
        (
            "postgresql://[::1]:5432,b:5433/memory",
            {
                "host": "::1,b",
                "port": "5432,5433",
                "dbname": "memory",
                "target_session_attrs": "read-write",
            },
            "trimtab",
            "postgresql://[::1]:5432,b:5433/memory",
        ),
        (
            "postgresql://%2Frun%2Fpostgresql/memory?password=s3cret",
            {"host": "/run/postgresql", "dbname": "memory", "password": "s3cret"},
            "trimtab",
            "postgresql://%2Frun%2Fpostgresql/memory",
        ),
    ],
)
def test_a_url_is_read_and_shown_without_its_password(
    url: str, parameters: dict[str, str], schema: str, shown: str
) -> None:
    found = read_url(url)
    assert (found.parameters, found.schema, found.shown) == (parameters, schema, shown)
    assert "s3c" not in repr(found)
    assert "p@ss" not in str(found)


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ada:s3cret@db/memory",
        "postgresql:/ada:s3cret@db/memory",
        "postgresql://ada:s3cret#1@db/memory",
        "postgresql://ada:s3cret:1@db:port/memory",
        "postgresql://ada:s3cret@db/memory?schema=Robert');--",
        "postgresql://ada:s3cret@db/memory?schema=pg_catalog",
        "postgresql://ada:s3cret@db/memory?schema=",
    ],
)
def test_what_is_no_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        PostgresLedger(url)
    assert "s3cret" not in str(refused.value)


def told(url: str, error: type[TrimtabError]) -> str:
    """What opening says, with everything that a traceback shows searched for the password."""
    with pytest.raises(error) as refused:
        PostgresLedger(url)
    shown = "".join(traceback.format_exception(refused.value))
    assert PASSWORD not in shown
    assert "s3cret" not in shown
    return str(refused.value)


def test_a_wrong_password_is_told_at_once(postgres_server: PostgresServer) -> None:
    wrong = postgres_server.url.replace("s3cret", "S3CRET")
    assert "check the server, user, password and database" in told(wrong, StoreError)


def test_a_database_that_is_not_there_is_told_at_once(postgres_server: PostgresServer) -> None:
    assert "nowhere" in told(postgres_server.url_of("nowhere"), StoreError)


def test_a_host_that_is_not_there_is_told_at_once(postgres_url: str) -> None:
    said = told("postgresql://ada:s3cret@no-such-host.invalid/memory", StoreError)
    assert "cannot be reached" in said


def test_an_option_that_there_is_not(postgres_url: str) -> None:
    assert "colour" in told(f"{postgres_url}?colour=blue", UsageError)


def test_nobody_listening_is_waited_for_and_told(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trimtab.adapters.postgres_ledger import database

    monkeypatch.setattr(database, "MOST_SECONDS_TO_OPEN", 0.3)
    nobody = postgres_server.url.replace(f":{postgres_server.port}/", ":1/")
    assert "has not answered" in told(nobody, StoreError)


def test_the_ledger_shows_itself_without_its_password(postgres_ledger_url: str) -> None:
    ledger = PostgresLedger(postgres_ledger_url)
    assert repr(ledger).startswith("PostgresLedger('postgresql://tester@127.0.0.1:")
    ledger.close()


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_forgets_is_refused_by_the_setting(own_postgres: PostgresServer, setting: str) -> None:
    own_postgres.stop()
    own_postgres.start(f"{setting}=off")
    said = told(own_postgres.url, ConfigurationRefused)
    assert f"{setting} = off" in said
    assert f"set {setting} = on" in said


def test_a_server_that_acknowledges_early_does_not_do_so_for_us(own_postgres: PostgresServer) -> None:
    own_postgres.stop()
    own_postgres.start("synchronous_commit=off", "default_transaction_isolation=serializable")
    with connections.connect(read_url(own_postgres.url)) as connection:
        row = connection.execute("SELECT current_setting('synchronous_commit')").fetchone()
    assert row == ("on",)
    PostgresLedger(own_postgres.url).close()


def test_another_encoding_is_refused(postgres_server: PostgresServer) -> None:
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    assert "encoding is LATIN1" in told(postgres_server.url_of("latin"), ConfigurationRefused)


def test_a_user_without_rights_is_told_which(postgres_server: PostgresServer) -> None:
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 's3cret'")
    guest = f"postgresql://guest:s3cret@127.0.0.1:{postgres_server.port}/postgres?schema=guests"
    assert "permission denied" in told(guest, StoreError)


MISSING = """
import sys
sys.modules["psycopg"] = None
from trimtab.adapters.postgres_ledger import PostgresLedger
from trimtab.atoms.error import ConfigurationRefused
try:
    PostgresLedger("postgresql://ada:s3cret@db/memory")
except ConfigurationRefused as refused:
    print(refused)
"""


def test_without_psycopg_the_extra_is_named() -> None:
    child = subprocess.run(
        [sys.executable, "-c", MISSING],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
        check=True,
    )
    assert "pip install 'trimtab[postgres]'" in child.stdout
    assert "s3cret" not in child.stdout


def test_the_folder_of_the_adapter_loads_no_psycopg() -> None:
    code = "import sys, trimtab.adapters.postgres_ledger; sys.exit('psycopg' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, check=True)
