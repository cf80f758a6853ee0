"""What the PostgreSQL ledger adds to the port: damage noticed, a table that forgets nothing, leases over machines."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from trimtab.adapters.postgres_ledger import PostgresLedger
from trimtab.adapters.process_holder import this_process
from trimtab.atoms.error import Damaged, StoreError
from trimtab.testing.example_record import artifact, made
from trimtab.testing.ledger_suite import chain_holds


@pytest.fixture
def ledger(postgres_ledger_url: str) -> Iterator[PostgresLedger]:
    opened = PostgresLedger(postgres_ledger_url)
    yield opened
    opened.close()


def by_hand(url: str, statement: str, *values: object, triggers: bool = False) -> None:
    """Change a row as the database's owner can."""
    place, _, schema = url.partition("?schema=")
    with psycopg.connect(place, options=f"-c search_path={schema}", autocommit=True) as connection:
        if not triggers:
            connection.execute("ALTER TABLE entry DISABLE TRIGGER USER")
        connection.execute(statement.encode(), values or None)


@pytest.mark.parametrize("seq", [1, 2, 5, 9])
def test_a_changed_entry_is_found_where_it_is(
    ledger: PostgresLedger, postgres_ledger_url: str, seq: int
) -> None:
    for number in range(3):
        ledger.append(made(number))
    by_hand(postgres_ledger_url, "UPDATE entry SET body = body || ' '::bytea WHERE seq = %s", seq)
    reading = ledger.entries()
    assert [next(reading).seq for _ in range(1, seq)] == list(range(1, seq))
    with pytest.raises(Damaged, match=f"entry {seq} .*changed"):
        next(reading)
    assert [entry.seq for entry in ledger.entries(after=seq)] == list(range(seq + 1, 10))


def test_a_missing_entry_is_found(ledger: PostgresLedger, postgres_ledger_url: str) -> None:
    ledger.append(made(1, 2, 3))
    by_hand(postgres_ledger_url, "DELETE FROM entry WHERE seq = 3")
    with pytest.raises(Damaged, match="entry 3 is missing"):
        list(ledger.entries())


def test_last_entries_that_are_gone_are_missed_though_the_rest_of_the_chain_holds(
    ledger: PostgresLedger, postgres_ledger_url: str
) -> None:
    ledger.append(made(1, 2, 3))
    before = ledger.head()
    by_hand(postgres_ledger_url, "DELETE FROM entry WHERE seq > 3")
    with pytest.raises(Damaged, match="entry 4 is missing"):
        list(ledger.entries())
    with pytest.raises(Damaged, match="entry 4 is missing"):
        ledger.append(made(4))
    assert ledger.head() == before


def test_a_row_under_another_id_is_told(ledger: PostgresLedger, postgres_ledger_url: str) -> None:
    ledger.append(made(1, 2, 3))
    assert ledger.own_faults() == []
    by_hand(postgres_ledger_url, "UPDATE entry SET id = 'f' || substr(id, 2) || 'f' WHERE seq IN (2, 5)")
    assert [" ".join(says.split()[1:3]) for says in ledger.own_faults()] == ["entry 2", "entry 5"]


@pytest.mark.parametrize(
    "change",
    ["UPDATE entry SET body = ''", "DELETE FROM entry", "TRUNCATE entry", "DELETE FROM append_key"],
)
def test_the_tables_themselves_refuse_to_forget(
    ledger: PostgresLedger, postgres_ledger_url: str, change: str
) -> None:
    ledger.append(made(1), key="k")
    with pytest.raises(errors.RestrictViolation, match="append-only"):
        by_hand(postgres_ledger_url, change, triggers=True)


def test_appends_wait_for_another_writer_and_share_a_transaction(
    ledger: PostgresLedger, postgres_ledger_url: str
) -> None:
    place, _, schema = postgres_ledger_url.partition("?schema=")
    with psycopg.connect(place) as other:
        other.execute(f"SELECT one FROM {schema}.head FOR UPDATE".encode())
        threads = [threading.Thread(target=ledger.append, args=(made(number),)) for number in range(20)]
        for thread in threads:
            thread.start()
        threads[0].join(timeout=0.05)
        assert all(thread.is_alive() for thread in threads), "acknowledged what could not be written"
        assert ledger.head()[0] == 0  # reading goes on
    for thread in threads:
        thread.join(timeout=10)
    assert ledger.head()[0] == 60
    assert chain_holds(ledger)


def test_after_closing_nothing_is_acknowledged(postgres_ledger_url: str) -> None:
    ledger = PostgresLedger(postgres_ledger_url)
    ledger.head()
    ledger.close()
    ledger.close()
    with pytest.raises(StoreError, match="closed"):
        ledger.append(made(1))
    with pytest.raises(StoreError, match="closed"):
        ledger.head()


def test_more_threads_read_than_there_are_connections(ledger: PostgresLedger) -> None:
    ledger.append(made(1))
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(ledger.find(artifact(1).id))) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [artifact(1)] * 30


HOLD = """
import sys
from trimtab.adapters.postgres_ledger import PostgresLedger
from trimtab.adapters.process_holder import this_process
ledger = PostgresLedger(sys.stdin.readline().strip())
print(ledger.take_lease("lead", this_process() + ":loop", 3600.0).token, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="tells the machine's start by /proc")
def test_the_lease_of_a_killed_process_of_this_machine_is_free_at_once(
    ledger: PostgresLedger, postgres_ledger_url: str
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(f"{postgres_ledger_url}\n".encode())
        child.stdin.flush()
        token = int(child.stdout.readline())
        assert ledger.take_lease("lead", "me", 1.0) is None
        child.kill()
        child.wait()
    mine = ledger.take_lease("lead", "me", 1.0)
    assert mine is not None
    assert mine.token > token


def test_the_holder_of_another_machine_with_our_name_is_not_dead(ledger: PostgresLedger) -> None:
    """Two machines called `localhost` share a database; that the other started at another time says nothing."""
    host, _, born = this_process().split(":")
    elsewhere = f"{host}:4194304:00000000.{born.partition('.')[2]}"
    assert ledger.take_lease("lead", elsewhere, 60.0) is not None
    assert ledger.take_lease("lead", "me", 1.0) is None


def test_leases_end_by_the_time_of_the_database(ledger: PostgresLedger, postgres_ledger_url: str) -> None:
    assert ledger.take_lease("lead", "a", 3600.0) is not None
    place, _, schema = postgres_ledger_url.partition("?schema=")
    with psycopg.connect(place) as other:
        row = other.execute(
            f"SELECT until - extract(epoch FROM clock_timestamp())::float8 FROM {schema}.lease".encode()
        ).fetchone()
    assert row is not None
    assert 3590 < row[0] <= 3600
