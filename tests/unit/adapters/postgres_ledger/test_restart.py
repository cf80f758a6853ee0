"""A server that dies and comes back, a line that is cut: nothing acknowledged is lost, nothing is doubled."""

import subprocess
import sys
import threading
import time

import pytest

from parts.cutting_proxy import cutting_proxy
from parts.postgres import PostgresServer
from trimtab.adapters.postgres_ledger import PostgresLedger, connection
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.error import StoreError
from trimtab.testing.example_record import artifact, made
from trimtab.testing.ledger_suite import chain_holds

WRITE = """
import sys, threading
from trimtab.adapters.postgres_ledger import PostgresLedger
from trimtab.testing.example_record import made
first = int(sys.argv[1])
ledger = PostgresLedger(sys.stdin.readline().strip())
lock, stop = threading.Lock(), threading.Event()
def write(odd):
    for number in range(first + odd, first + 100000, 2):
        if stop.is_set():
            return
        ledger.append(made(number), key=f"key {number}" if number % 3 == 0 else None)
        ledger.head()
        with lock:
            print(number, flush=True)
threads = [threading.Thread(target=write, args=(odd,)) for odd in (0, 1)]
[thread.start() for thread in threads]
sys.stdin.readline()
stop.set()
[thread.join() for thread in threads]
ledger.close()
"""


class Writers:
    """Four processes with two writing threads each, and what they were acknowledged."""

    def __init__(self, url: str) -> None:
        self.acknowledged: list[int] = []
        self.children = [
            subprocess.Popen(
                [sys.executable, "-c", WRITE, str(number * 100_000)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={"PYTHONPATH": ":".join(sys.path)},
            )
            for number in range(4)
        ]
        self._readers = [threading.Thread(target=self._read, args=(child,)) for child in self.children]
        for child, reader in zip(self.children, self._readers, strict=True):
            self._say(child, url)
            reader.start()

    def wait_for(self, more: int) -> None:
        """Return when so many further appends were acknowledged."""
        wanted, deadline = len(self.acknowledged) + more, time.monotonic() + 60
        while len(self.acknowledged) < wanted:
            assert time.monotonic() < deadline, [child.poll() for child in self.children]
            time.sleep(0.005)

    def finish(self) -> None:
        """Let each end in order; none has seen an error."""
        for child in self.children:
            assert child.poll() is None, child.stderr.read() if child.stderr else ""
            self._say(child, "")
        for child, reader in zip(self.children, self._readers, strict=True):
            reader.join(90)
            assert child.stderr is not None
            assert (child.stderr.read(), child.wait(10)) == ("", 0)
            for pipe in (child.stdin, child.stdout, child.stderr):
                assert pipe is not None
                pipe.close()

    def _read(self, child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None
        self.acknowledged.extend(int(line) for line in child.stdout)

    @staticmethod
    def _say(child: subprocess.Popen[str], line: str) -> None:
        assert child.stdin is not None
        child.stdin.write(line + "\n")
        child.stdin.flush()


@pytest.mark.parametrize("restarts", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_a_server_that_is_killed_loses_and_doubles_nothing(
    own_postgres: PostgresServer, restarts: int
) -> None:
    PostgresLedger(own_postgres.url).close()
    writers = Writers(own_postgres.url)
    for restart in range(restarts):
        writers.wait_for(50)
        if restart % 2:
            own_postgres.stop()
        else:
            own_postgres.kill()
        own_postgres.start()
    writers.wait_for(50)
    writers.finish()
    assert "database system was not properly shut down" in (own_postgres.folder / "log").read_text()
    ledger = PostgresLedger(own_postgres.url)
    assert chain_holds(ledger)
    kept = [entry.record.id for entry in ledger.entries() if isinstance(entry.record, Artifact)]
    assert sorted(kept) == sorted(artifact(number).id for number in writers.acknowledged)
    assert ledger.head()[0] == 3 * len(writers.acknowledged)
    ledger.close()


@pytest.mark.parametrize("happened", [True, False], ids=["committed, answer lost", "commit never arrived"])
@pytest.mark.parametrize("key", [None, "k"])
def test_a_commit_without_an_answer_is_looked_up(
    postgres_server: PostgresServer, postgres_ledger_url: str, key: str | None, happened: bool
) -> None:
    with cutting_proxy(postgres_server.port) as proxy:
        ledger = PostgresLedger(postgres_ledger_url.replace(f":{postgres_server.port}/", f":{proxy.port}/"))
        ledger.append(made(1))
        proxy.armed = (b"COMMIT\0", happened)
        records = made(2)
        assert ledger.append(records, key=key) == 6
        assert proxy.cuts == 1, "the fault did not fire"
        assert [entry.record for entry in ledger.entries(after=3)] == records
        assert ledger.append(made(3), key="other") == 9
        assert chain_holds(ledger)
        ledger.close()


@pytest.mark.parametrize("word", [b"INSERT INTO entry", b"FOR UPDATE", b"UNION ALL"])
def test_a_line_that_is_cut_in_the_middle_of_an_append(
    postgres_server: PostgresServer, postgres_ledger_url: str, word: bytes
) -> None:
    with cutting_proxy(postgres_server.port) as proxy:
        ledger = PostgresLedger(postgres_ledger_url.replace(f":{postgres_server.port}/", f":{proxy.port}/"))
        for passes in (True, False):
            before, cuts = ledger.head()[0], proxy.cuts
            proxy.armed = (word, passes)
            assert ledger.append(made(before)) == before + 3
            assert proxy.cuts == cuts + 1, "the fault did not fire"
        assert chain_holds(ledger)
        ledger.close()


def test_a_lease_whose_commit_had_no_answer_is_one_lease(
    postgres_server: PostgresServer, postgres_ledger_url: str
) -> None:
    with cutting_proxy(postgres_server.port) as proxy:
        ledger = PostgresLedger(postgres_ledger_url.replace(f":{postgres_server.port}/", f":{proxy.port}/"))
        proxy.armed = (b"COMMIT\0", True)
        lease = ledger.take_lease("lead", "a", 60.0)
        assert proxy.cuts == 1, "the fault did not fire"
        assert lease is not None
        assert lease.token == 1
        assert ledger.append(made(1), lease=lease) == 3
        ledger.close()


def test_a_reader_is_answered_when_the_server_is_back(own_postgres: PostgresServer) -> None:
    ledger = PostgresLedger(own_postgres.url)
    ledger.append(made(1))
    reading = ledger.entries()
    assert next(reading).seq == 1
    own_postgres.kill()
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.append(ledger.find(artifact(1).id)))
    asking.start()
    asking.join(0.3)
    assert asking.is_alive(), "answered by a server that is not there"
    own_postgres.start()
    asking.join(30)
    assert answers == [artifact(1)]
    assert [entry.seq for entry in reading] == [2, 3]
    ledger.close()


def test_a_server_that_stays_away_is_told_with_what_to_do(
    own_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute is a long test: the patience is cut to a second, its clock is real."""
    ledger = PostgresLedger(own_postgres.url)
    own_postgres.kill()
    monkeypatch.setattr(connection.Patience.__init__, "__defaults__", (1.0,))
    started = time.monotonic()
    for attempt in (lambda: ledger.append(made(1)), ledger.head, lambda: ledger.take_lease("a", "b", 1.0)):
        with pytest.raises(StoreError, match=r"has not answered for 1 s .*start the server") as told:
            attempt()
        assert "password" not in str(told.value)
    assert time.monotonic() - started > 3
    own_postgres.start()
    assert ledger.append(made(1)) == 3
    ledger.close()
