"""What the SQLite ledger adds to the port: group commit, damage noticed, a full disk, dead holders."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.atoms.entry import chain_value
from trimtab.atoms.error import Damaged, StoreError, UsageError
from trimtab.testing.example_record import artifact, check, made
from trimtab.testing.ledger_suite import chain_holds


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqliteLedger]:
    opened = SqliteLedger(path)
    yield opened
    opened.close()


def by_hand(path: Path, statement: str, *values: object) -> None:
    """Change the file as somebody would who wants to hide something."""
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER IF EXISTS entry_never_changes")
    connection.execute("DROP TRIGGER IF EXISTS entry_never_goes")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("seq", [1, 2, 5, 9])
def test_a_changed_entry_is_found_where_it_is(ledger: SqliteLedger, path: Path, seq: int) -> None:
    for number in range(3):
        ledger.append(made(number))
    by_hand(
        path, "UPDATE entry SET body = replace(CAST(body AS TEXT), '2013', '2014') || ' ' WHERE seq = ?", seq
    )
    reading = ledger.entries()
    assert [next(reading).seq for _ in range(1, seq)] == list(range(1, seq))
    with pytest.raises(Damaged, match=f"entry {seq} .*changed"):
        next(reading)
    assert [entry.seq for entry in ledger.entries(after=seq)] == list(range(seq + 1, 10))


def test_a_missing_entry_is_found(ledger: SqliteLedger, path: Path) -> None:
    ledger.append(made(1, 2, 3))
    by_hand(path, "DELETE FROM entry WHERE seq = 3")
    with pytest.raises(Damaged, match="entry 3 is missing"):
        list(ledger.entries())


def test_a_row_that_cannot_be_read_is_named(ledger: SqliteLedger, path: Path) -> None:
    ledger.append(made(1))
    by_hand(path, "UPDATE entry SET body = 'nonsense' WHERE seq = 2")
    with pytest.raises(Damaged, match="entry 2"):
        ledger.find(artifact(1).id)


def test_waiting_appends_share_a_transaction(ledger: SqliteLedger, path: Path) -> None:
    """While another process holds the file, appends queue; nobody sees an error."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    threads = [threading.Thread(target=ledger.append, args=(made(number),)) for number in range(20)]
    for thread in threads:
        thread.start()
    threads[0].join(timeout=0.05)
    assert all(thread.is_alive() for thread in threads), "acknowledged what could not be written"
    assert ledger.head()[0] == 0  # reading goes on
    other.execute("COMMIT")
    other.close()
    for thread in threads:
        thread.join(timeout=10)
    assert ledger.head()[0] == 60
    assert chain_holds(ledger)


def test_a_full_disk_refuses_clearly_and_recovers_unaided(ledger: SqliteLedger) -> None:
    ledger.append(made(0))
    writing = ledger._database._connection  # type: ignore[attr-defined]
    writing.execute("PRAGMA max_page_count = 1")
    (least,) = writing.execute("PRAGMA max_page_count").fetchone()
    with pytest.raises(StoreError, match="full"):
        ledger.append(made(*range(1, 50 * least)))
    before = ledger.head()
    assert chain_holds(ledger)
    writing.execute("PRAGMA max_page_count = 1000000")
    assert ledger.append(made(-1)) == before[0] + 3


def test_after_closing_nothing_is_acknowledged(path: Path) -> None:
    ledger = SqliteLedger(path)
    ledger.close()
    ledger.close()
    with pytest.raises(StoreError, match="closed"):
        ledger.append(made(1))
    with pytest.raises(StoreError, match="closed"):
        ledger.head()
    assert not [thread for thread in threading.enumerate() if thread.name == "ledger-writer"]


HOLD = """
import sys
from pathlib import Path
from trimtab.adapters.process_holder import this_process
from trimtab.adapters.sqlite_ledger import SqliteLedger
ledger = SqliteLedger(Path(sys.argv[1]))
print(ledger.take_lease("lead", this_process() + ":loop", 3600.0).token, flush=True)
sys.stdin.read()
"""


def test_the_lease_of_a_killed_process_is_free_at_once(ledger: SqliteLedger, path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as child:
        assert child.stdout is not None
        token = int(child.stdout.readline())
        assert ledger.take_lease("lead", "me", 1.0) is None
        child.kill()
        child.wait()
    mine = ledger.take_lease("lead", "me", 1.0)
    assert mine is not None
    assert mine.token > token


def test_last_entries_that_are_gone_are_missed_though_the_rest_of_the_chain_holds(
    ledger: SqliteLedger, path: Path
) -> None:
    ledger.append(made(1, 2, 3))
    before = ledger.head()
    by_hand(path, "DELETE FROM entry WHERE seq > 3")
    reading = ledger.entries()
    assert [next(reading).seq for _ in range(3)] == [1, 2, 3]
    with pytest.raises(Damaged, match="entry 4 is missing"):
        next(reading)
    with pytest.raises(Damaged, match="entry 4 is missing"):
        list(ledger.entries(after=3))
    with pytest.raises(Damaged, match="entry 4 is missing"):
        ledger.append(made(4))
    assert ledger.head() == before
    assert [entry.seq for entry in ledger.entries(limit=3)] == [1, 2, 3]


def test_an_end_that_was_written_anew_is_told(ledger: SqliteLedger, path: Path) -> None:
    """The chain of the forger holds; what the last append recorded is another."""
    ledger.append(made(1))
    body = b'{"forged":true}'
    chain = list(ledger.entries())[1].chain
    by_hand(
        path, "UPDATE entry SET body = ?, chain = ? WHERE seq = 3", body, chain_value(chain, "closing", body)
    )
    with pytest.raises(Damaged, match=r"entry 3 .*not the one"):
        list(ledger.entries())
    with pytest.raises(Damaged, match="entry 3 is not the one"):
        ledger.append(made(2))


def test_without_its_recorded_end_it_neither_grows_nor_is_read(ledger: SqliteLedger, path: Path) -> None:
    ledger.append(made(1))
    by_hand(path, "DELETE FROM head")
    for attempt in (lambda: ledger.append(made(2)), lambda: list(ledger.entries()), ledger.head):
        with pytest.raises(Damaged, match="where it ends"):
            attempt()


KEYED = """
import sys
from pathlib import Path
from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.testing.example_record import artifact, check
ledger = SqliteLedger(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    print(number, flush=True)
    ledger.append([check(artifact(1).id, number=number)], key=str(number))
"""


def test_an_append_that_was_killed_is_made_once_by_its_key(ledger: SqliteLedger, path: Path) -> None:
    """Whether or not it was written when the process died, the retry gives its number and doubles nothing."""
    ledger.append(made(1))
    for kill in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", KEYED, str(path)],
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": ":".join(sys.path)},
        ) as child:
            assert child.stdout is not None
            for _ in range(10 + kill):
                child.stdout.readline()
            child.kill()
            child.stdout.read()
        assert child.returncode == -9, "the fault did not fire"
        for number in range(1, 12 + kill):
            records = [check(artifact(1).id, number=number)]
            assert ledger.append(records, key=str(number)) == 3 + number
        with pytest.raises(UsageError, match="other records"):
            ledger.append(made(2), key="1")
    assert chain_holds(ledger)
