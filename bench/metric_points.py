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
from pathlib import Path

from peer_metric_points import PEERS

from trimtab.adapters.durable_file import flush
from trimtab.adapters.segment_streams import SegmentStreams
from trimtab.adapters.system_clock import SystemClock
from trimtab.engine.metric_log import MetricLog
from trimtab.engine.metric_series import RunPoints

HERE = Path(__file__).parent
BATCH = 1000
THREADS = 64
#: Points that a peer logs in a round.
PEER_POINTS = {"MLflow on SQLite, one by one": 300}


def batched_columns(log: MetricLog, points: int) -> None:
    """Columns of 1,000, each call waiting until they are durable."""
    values = array("d", [0.5]) * BATCH
    for first in range(0, points, BATCH):
        log.log_series("loss", range(first, first + BATCH), values)


def batched_points(log: MetricLog, points: int) -> None:
    """Ten metrics, 1,000 points a call as tuples, each call waiting until they are durable."""
    names = [f"metric_{number}" for number in range(10)]
    for first in range(0, points, BATCH):
        log.log_batch([(names[place % 10], first + place // 10, 0.5, first) for place in range(BATCH)])


def pipelined(log: MetricLog, points: int) -> None:
    """One by one without waiting; durable at the flush."""
    for step in range(points):
        log.log("loss", step, 0.5)
    log.flush()


def threaded(log: MetricLog, points: int) -> None:
    """64 threads, one by one, each waiting for its acknowledgement."""

    def work(first: int) -> None:
        for step in range(first, points, THREADS):
            log.log("loss", step, 0.5).result()

    threads = [threading.Thread(target=work, args=(first,)) for first in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def strict(log: MetricLog, points: int) -> None:
    """One thread, one by one, waiting for each acknowledgement."""
    for step in range(points):
        log.log("loss", step, 0.5).result()


OURS: dict[str, tuple[Callable[[MetricLog, int], None], int]] = {
    "Trimtab, columns of 1,000, each durable": (batched_columns, 1_000_000),
    "Trimtab, 1,000 points of 10 metrics a call, each durable": (batched_points, 300_000),
    "Trimtab, one by one, durable at the flush": (pipelined, 300_000),
    "Trimtab, one by one from 64 threads, each waiting": (threaded, 64_000),
    "Trimtab, one by one, waiting each time": (strict, 3_000),
}


def ours(work: Callable[[MetricLog, int], None], points: int, folder: Path) -> float:
    """Points a second; every one of them is then read back and counted."""
    streams = SegmentStreams(folder)
    log = MetricLog(streams, "bench", SystemClock())
    log.log("warm-up", 0, 0.0).result()
    started = time.perf_counter()
    work(log, points)
    seconds = time.perf_counter() - started
    log.close()
    read = RunPoints()
    read.refresh(streams, "bench")
    found = sum(len(read.series(metric).steps) for metric in read.metrics() if metric != "warm-up")
    streams.close()
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
