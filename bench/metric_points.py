"""Metric points a second that are durable when they are acknowledged: Trimtab, SQLite by hand, and others.

    PEERS_PYTHON=/path/to/python python bench/metric_points.py [ROUNDS]

All take turns on one disk, round by round, so that whatever else the machine does hits all. `PEERS_PYTHON` is the
Python of an environment with mlflow, tensorboardX, wandb and aim, or some of them.
"""
# ruff: noqa: T201 (it prints its result)

import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from peer_metric_points import PEERS

from trimtab.adapters.durable_file import flush
from trimtab.adapters.local_store import open_store
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.atoms.actor import Actor
from trimtab.atoms.metric_point import Points, decode_points, encode_point, encode_points, series_points
from trimtab.atoms.run_event import STREAM, RunEvent, decode_event
from trimtab.tracking.tracking import open_tracking

HERE = Path(__file__).parent
BATCH = 1000
THREADS = 64
#: Points that a peer logs in a round.
PEER_POINTS = {"MLflow on SQLite, one by one": 300}


class Log:
    """A run of a store in a folder, with the logbook that the servers and `trimtab.run()` log through."""

    def __init__(self, folder: Path) -> None:
        self.store = open_store(folder)
        self.index = open_run_index(folder / "runs.sqlite")
        tracking = open_tracking(self.store, self.index)
        self.run = tracking.runs.open(by=Actor(by="person:bench")).head.id
        self._logbook = tracking.logbook

    def points(self, points: Points) -> None:
        """Log them; durable when it returns."""
        self._logbook.log(RunEvent(owner=self.run, points=encode_points(points)))

    def point(self, step: int) -> "Future[None]":
        """Log one, without waiting."""
        return self._logbook.log_nowait(
            [RunEvent(owner=self.run, points=encode_point("loss", step, 0.5, step))]
        )[0]


def batched_columns(log: Log, points: int) -> None:
    """Columns of 1,000, each call waiting until they are durable."""
    values = array("d", [0.5]) * BATCH
    for first in range(0, points, BATCH):
        log.points(series_points("loss", range(first, first + BATCH), values, first))


def batched_points(log: Log, points: int) -> None:
    """Ten metrics, 1,000 points a call as tuples, each call waiting until they are durable."""
    names = [f"metric_{number}" for number in range(10)]
    for first in range(0, points, BATCH):
        batch = Points()
        batch.extend((names[place % 10], first + place // 10, 0.5, first) for place in range(BATCH))
        log.points(batch)


def pipelined(log: Log, points: int) -> None:
    """One by one without waiting; durable at the end."""
    for step in range(points - 1):
        log.point(step)
    log.point(points - 1).result()


def threaded(log: Log, points: int) -> None:
    """64 threads, one by one, each waiting for its acknowledgement."""

    def work(first: int) -> None:
        for step in range(first, points, THREADS):
            log.point(step).result()

    threads = [threading.Thread(target=work, args=(first,)) for first in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def strict(log: Log, points: int) -> None:
    """One thread, one by one, waiting for each acknowledgement."""
    for step in range(points):
        log.point(step).result()


OURS: dict[str, tuple[Callable[[Log, int], None], int]] = {
    "Trimtab, columns of 1,000, each durable": (batched_columns, 1_000_000),
    "Trimtab, 1,000 points of 10 metrics a call, each durable": (batched_points, 300_000),
    "Trimtab, one by one, durable at the end": (pipelined, 300_000),
    "Trimtab, one by one from 64 threads, each waiting": (threaded, 64_000),
    "Trimtab, one by one, waiting each time": (strict, 3_000),
}


def ours(work: Callable[[Log, int], None], points: int, folder: Path) -> float:
    """Points a second; every one of them is then read back and counted."""
    log = Log(folder)
    started = time.perf_counter()
    work(log, points)
    seconds = time.perf_counter() - started
    events = map(decode_event, log.store.streams.read(STREAM)[0])
    found = sum(len(decode_points(event.points)) for event in events if event.points)
    log.index.close()
    log.store.close()
    if found != points:
        raise SystemExit(f"{points} points were acknowledged and {found} are there")
    return points / seconds


def sqlite_by_hand(folder: Path, points: int, batch: int) -> float:
    """Points a second into SQLite, WAL with full sync, `batch` points a transaction."""
    connection = sqlite3.connect(folder / "points.sqlite", isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("create table point (metric text, step integer, value real, at_us integer)")
    insert = "insert into point values (?, ?, ?, ?)"
    started = time.perf_counter()
    for first in range(0, points, batch):
        connection.execute("begin")
        connection.executemany(insert, [("loss", step, 0.5, step) for step in range(first, first + batch)])
        connection.execute("commit")
    seconds = time.perf_counter() - started
    connection.close()
    return points / seconds


def raw_flush(folder: Path, count: int = 2000) -> float:
    """What the disk gives: flushes a second of a file that grows by a point's 46 bytes each time."""
    descriptor = os.open(folder / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    started = time.perf_counter()
    for _ in range(count):
        os.write(descriptor, bytes(46))
        flush(descriptor)
    seconds = time.perf_counter() - started
    os.close(descriptor)
    return count / seconds


def peer(name: str, folder: Path) -> tuple[float | None, str]:
    """Points a second of a peer, and its version; or None, and how to get it."""
    python = os.environ.get("PEERS_PYTHON")
    distribution = PEERS[name][0]
    absent = (
        f"not installed: pip install {distribution} into an environment, and set PEERS_PYTHON to its Python"
    )
    if not python:
        return None, absent
    points = str(PEER_POINTS.get(name, 20_000))
    done = subprocess.run(
        [python, str(HERE / "peer_metric_points.py"), name, str(folder), points, str(BATCH)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        return None, "failed: " + (done.stderr.strip().splitlines() or ["it said nothing"])[-1][:120]
    said = json.loads(lines[-1])
    return (None, absent) if "absent" in said else (said["per_second"], said["version"])


def main() -> None:
    """Measure and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    measured: dict[str, Callable[[Path], tuple[float | None, str]]] = {}
    for name, (work, points) in OURS.items():
        measured[name] = lambda folder, work=work, points=points: (ours(work, points, folder), "")
    measured["the disk: a write and a flush a point (the floor of waiting each time)"] = lambda folder: (
        raw_flush(folder),
        "",
    )
    measured["SQLite by hand, full sync, 1,000 a transaction"] = lambda folder: (
        sqlite_by_hand(folder, 500_000, BATCH),
        sqlite3.sqlite_version,
    )
    measured["SQLite by hand, full sync, one a transaction"] = lambda folder: (
        sqlite_by_hand(folder, 3_000, 1),
        sqlite3.sqlite_version,
    )
    for name in PEERS:
        measured[name] = lambda folder, name=name: peer(name, folder)
    rates: dict[str, list[float]] = {name: [] for name in measured}
    notes: dict[str, str] = {}
    for _ in range(rounds):
        for name, measure in measured.items():
            with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as made:
                rate, notes[name] = measure(Path(made))
            if rate is not None:
                rates[name].append(rate)
    print(f"points a second, medians of {rounds} rounds; peers as they come\n")
    print("| | points/s | lowest | highest | version |")
    print("|---|---:|---:|---:|---|")
    for name, found in rates.items():
        if not found:
            print(f"| {name} | - | - | - | {notes[name]} |")
            continue
        print(
            f"| {name} | {statistics.median(found):,.0f} | {min(found):,.0f} | {max(found):,.0f} | {notes[name]} |"
        )


if __name__ == "__main__":
    main()
