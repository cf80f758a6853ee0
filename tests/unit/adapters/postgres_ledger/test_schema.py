"""The schema is made once, migrated forward, resumed after a kill, and refused where it is not ours or newer."""

import subprocess
import sys
from typing import Any

import psycopg
import pytest

from trimtab.adapters.postgres_ledger import PostgresLedger
from trimtab.adapters.postgres_ledger import connection as connections
from trimtab.adapters.postgres_ledger.schema import STEPS
from trimtab.adapters.postgres_ledger.table import PostgresTables
from trimtab.adapters.postgres_ledger.url import read_url
from trimtab.adapters.sql_ledger.migration import VERSION, take_step
from trimtab.atoms.entry import RECORD_NAMES, chain_value, record_bytes
from trimtab.atoms.error import StoreError
from trimtab.testing.example_record import made
from trimtab.testing.ledger_suite import chain_holds


def connect(url: str) -> "psycopg.Connection[Any]":
    return connections.connect(read_url(url))


def first_version(url: str) -> tuple[int, str]:
    """A ledger of version 1 with three entries; returns its head."""
    with connect(url) as connection:
        connection.execute(f"CREATE SCHEMA {read_url(url).schema}".encode())
        take_step(PostgresTables(connection), STEPS, 0)
        seq, chain = 0, "0" * 64
        for record in made(1):
            name, body = RECORD_NAMES[type(record)], record_bytes(record)
            seq, chain = seq + 1, chain_value(chain, name, body)
            key = record.action if name == "closing" else record.id  # type: ignore[union-attr]
            connection.execute("INSERT INTO entry VALUES (%s, %s, %s, %s, %s)", (seq, name, key, body, chain))
    return seq, chain


def version_of(url: str) -> int:
    with connect(url) as connection:
        row = connection.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
        assert row is not None
        return int(row[0])


def test_an_earlier_version_is_migrated_with_its_entries(postgres_ledger_url: str) -> None:
    before = first_version(postgres_ledger_url)
    ledger = PostgresLedger(postgres_ledger_url)
    assert ledger.head() == before
    assert ledger.append(made(2), key="k") == 6
    assert chain_holds(ledger)
    ledger.close()
    assert version_of(postgres_ledger_url) == VERSION


OPEN = """
import sys
from trimtab.adapters.postgres_ledger import PostgresLedger
from trimtab.testing.example_record import made
ledger = PostgresLedger(sys.stdin.readline().strip())
ledger.append(made(int(sys.argv[1]) + 10))
ledger.close()
"""


@pytest.mark.parametrize("there", [True, False], ids=["an earlier version", "nothing"])
def test_processes_that_open_it_at_once_see_no_error(postgres_ledger_url: str, there: bool) -> None:
    entries = first_version(postgres_ledger_url)[0] if there else 0
    children = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(number)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        for number in range(6)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write(postgres_ledger_url + "\n")
        child.stdin.flush()
    assert [(child.communicate(timeout=60)[1], child.returncode) for child in children] == [("", 0)] * 6
    ledger = PostgresLedger(postgres_ledger_url)
    assert ledger.head()[0] == entries + 18
    assert chain_holds(ledger)
    ledger.close()


DIE = """
import os, signal, sys
from trimtab.adapters.postgres_ledger import PostgresLedger, table
left = int(sys.argv[1])
real = table.PostgresTables.execute
def execute(self, sql, values=()):
    global left
    left -= 1
    if left < 0:
        print(sql.strip().splitlines()[0], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, sql, values)
table.PostgresTables.execute = execute
PostgresLedger(sys.stdin.readline().strip())
"""


def test_a_kill_at_any_statement_of_the_migration_is_made_good_by_the_next_opening(
    postgres_ledger_url: str,
) -> None:
    died = []
    for statement in range(1000):
        url = f"{postgres_ledger_url}_{statement}"
        before = first_version(url)
        child = subprocess.run(
            [sys.executable, "-c", DIE, str(statement)],
            input=url + "\n",
            capture_output=True,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path)},
            check=False,
        )
        if child.returncode == 0:
            break
        assert child.returncode == -9, child.stderr
        died.append(child.stdout.strip())
        ledger = PostgresLedger(url)
        assert ledger.head() == before, died[-1]
        assert ledger.append(made(2)) == 6
        assert chain_holds(ledger)
        ledger.close()
        assert version_of(url) == VERSION
    assert any("CREATE TABLE append_key" in statement for statement in died), "no kill fell into the step"
    assert any("UPDATE meta" in statement for statement in died)


def test_a_newer_ledger_names_its_version_and_the_way_out(postgres_ledger_url: str) -> None:
    PostgresLedger(postgres_ledger_url).close()
    with connect(postgres_ledger_url) as connection:
        connection.execute("UPDATE meta SET value = %s WHERE name = 'version'", (VERSION + 1,))
    with pytest.raises(StoreError, match=rf"version {VERSION + 1}, .*knows {VERSION}\b.*upgrade"):
        PostgresLedger(postgres_ledger_url)
    assert version_of(postgres_ledger_url) == VERSION + 1


def test_tables_of_another_program_are_left_alone(postgres_ledger_url: str) -> None:
    schema = read_url(postgres_ledger_url).schema
    with connect(postgres_ledger_url) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        connection.execute("CREATE TABLE entry (title text)")
    with pytest.raises(StoreError, match=r"something else.*\?schema="):
        PostgresLedger(postgres_ledger_url)


def test_other_tables_in_the_schema_are_no_hindrance(postgres_ledger_url: str) -> None:
    with connect(postgres_ledger_url) as connection:
        connection.execute(f"CREATE SCHEMA {read_url(postgres_ledger_url).schema}".encode())
        connection.execute("CREATE TABLE songs (title text)")
    ledger = PostgresLedger(postgres_ledger_url)
    assert ledger.append(made(1)) == 3
    ledger.close()


def test_schemas_of_one_database_are_ledgers_of_their_own(postgres_ledger_url: str) -> None:
    first, second = PostgresLedger(postgres_ledger_url), PostgresLedger(postgres_ledger_url + "_b")
    first.append(made(1))
    assert second.head()[0] == 0
    first.close()
    second.close()
