"""Trimtab's control plane and MLflow's own server, side by side, for what MLflow's clients do. Asserts nothing.

    python bench/mlflow_server.py [--quick]

Both on SQLite, on one disk, on this machine, MLflow's server with its own number of workers. Raw requests come from
bench/mlflow_load.py in a process of its own; the client's rows go through MLflow's unmodified client. A count that was
scaled down, because a server is slow, stands beside its figure.
"""
# ruff: noqa: T201 (it prints its result)

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).parent
WRITERS = 64
BATCH = 1000
API = "/api/2.0/mlflow"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done. MLflow's server gets less where it would take hours."""

    points: int
    points_of_mlflow: int
    batches: int
    calls_a_writer: int
    calls_a_writer_of_mlflow: int
    client_points: int
    runs: int
    file_bytes: int
    files: int
    files_of_mlflow: int


FULL = Size(100_000, 1000, 100, 1000, 10, 2000, 1000, 1 << 30, 10_000, 1000)
QUICK = Size(2000, 100, 10, 50, 2, 200, 100, 1 << 28, 300, 50)


@dataclass(frozen=True, slots=True)
class Server:
    """One that runs."""

    name: str
    address: str
    pid: int
    start_seconds: float

    @property
    def place(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.address.removeprefix("http://").rpartition(":")
        return host, int(port)

    def memory(self) -> tuple[float, int]:
        """Megabytes that its processes hold alone or share by their part, and how many they are."""
        top = psutil.Process(self.pid)
        every = [top, *top.children(recursive=True)]
        return sum(each.memory_full_info().pss for each in every) / 1e6, len(every)


@contextmanager
def serving(name: str, words: list[str], folder: Path, port: int) -> Iterator[Server]:
    """Start a server and wait until it answers."""
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "TRIMTAB_STORE": str(folder / ".trimtab")}
    started = time.perf_counter()
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                with urllib.request.urlopen(f"{address}/health", timeout=1):
                    break
            except OSError:
                if process.poll() is not None:
                    raise SystemExit((folder / "server.log").read_text()[-2000:]) from None
                time.sleep(0.02)
        yield Server(name, address, process.pid, time.perf_counter() - started)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def null_server() -> Iterator[str]:
    """One that says yes to everything and keeps nothing: what is measured against it is the client itself."""
    words = [sys.executable, str(HERE / "mlflow_by_client.py"), "null-server"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def trimtab(folder: Path) -> tuple[str, list[str], int]:
    """Name, command and port of ours."""
    (folder / "trimtab.toml").touch()
    port = free_port()
    words = ["-m", "trimtab.web.control_plane", str(folder), "127.0.0.1", str(port), str(folder / "ready")]
    return "Trimtab", [sys.executable, *words], port


def mlflow(folder: Path) -> tuple[str, list[str], int]:
    """Name, command and port of MLflow's."""
    port = free_port()
    words = [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    files = ["--artifacts-destination", str(folder / "files")]
    return "MLflow's server", [str(Path(sys.executable).with_name("mlflow")), "server", *words, *files], port


def ask(server: Server, path: str, **body: object) -> dict[str, object]:
    """One POST."""
    request = urllib.request.Request(
        server.address + API + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=600) as answer:
        return dict(json.load(answer))


def new_runs(server: Server, count: int) -> list[str]:
    """Ids of runs in the default experiment."""
    made = (ask(server, "/runs/create", experiment_id="0", start_time=1) for _ in range(count))
    return [str(run["run"]["info"]["run_id"]) for run in made]  # type: ignore[index]


def load(server: Server, connections: int, calls: int, batch: int) -> dict[str, float]:
    """What bench/mlflow_load.py measured."""
    host, port = server.place
    words = [host, port, connections, calls, batch]
    ended = subprocess.run(
        [sys.executable, str(HERE / "mlflow_load.py"), *map(str, words)],
        input="\n".join(new_runs(server, connections)), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(json.loads(ended.stdout))


def by_client(address: str, part: str, *words: object) -> float:
    """Seconds that a part of bench/mlflow_by_client.py took; its start and imports are not counted."""
    environment = os.environ | {"MLFLOW_TRACKING_URI": address, "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment |= {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    ended = subprocess.run(
        [sys.executable, str(HERE / "mlflow_by_client.py"), part, *map(str, words)],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(ended.stdout.split()[-1])


def measure(server: Server, size: Size, folder: Path) -> Iterator[tuple[str, str]]:
    """Each row's name and figure."""
    slow = server.name != "Trimtab"
    megabytes, processes = server.memory()
    yield "start to ready", f"{server.start_seconds:.2f} s"
    yield "memory idle", f"{megabytes:.0f} MB in {processes} processes"
    points = size.points_of_mlflow if slow else size.points
    one = load(server, 1, points, 0)
    yield "points one by one, one writer", f"{one['points_per_second']:,.0f}/s (of {points:,})"
    batched = load(server, 1, size.batches, BATCH)
    yield f"points by {BATCH:,}", f"{batched['points_per_second']:,.0f}/s"
    calls = size.calls_a_writer_of_mlflow if slow else size.calls_a_writer
    many = load(server, WRITERS, calls, 0)
    told = f"{many['calls_per_second']:,.0f}/s, p99 {many['p99_ms']:,.0f} ms, {many['bad']} errors"
    yield f"log-metric, {WRITERS} writers", f"{told} (of {calls * WRITERS:,})"
    yield from searched(server, size)
    yield from through_client(server.address, size, folder, slow=slow)
    megabytes, processes = server.memory()
    yield "memory after it all", f"{megabytes:.0f} MB in {processes} processes"


def through_client(
    address: str, size: Size, folder: Path, *, slow: bool = False, keeps: bool = True
) -> Iterator[tuple[str, str]]:
    """What MLflow's unmodified client gets from a server; from one that keeps nothing, nothing comes back."""

    def seconds(part: str, *words: object) -> float:
        return sorted(by_client(address, part, *words) for _ in range(3))[1]

    points = size.client_points // 10 if slow else size.client_points
    yield "client: log_metric", f"{points / seconds('points', points):,.0f}/s (of {points:,})"
    points = size.batches // 5 * BATCH
    yield f"client: log_batch by {BATCH:,}", f"{points / seconds('batches', points // BATCH, BATCH):,.0f}/s"
    files = size.files_of_mlflow if slow else size.files
    large = f"client: a file of {size.file_bytes >> 20} MB"
    for way, which in (("up", "sent"), ("down", "fetched"))[: 2 if keeps else 1]:
        yield f"{large}, {which}", f"{seconds(f'file-{way}', folder, size.file_bytes):.1f} s"
    for way, which in (("up", "sent"), ("down", "fetched"))[: 2 if keeps else 1]:
        # The first of these brings up the files that come down.
        took = by_client(address, f"files-{way}", folder, files)
        yield f"client: small files, {which}", f"{files / took:,.0f}/s (of {files:,})"


def searched(server: Server, size: Size) -> Iterator[tuple[str, str]]:
    """The first page of a filtered, sorted search over runs with ten metrics each."""
    for number, run in enumerate(new_runs(server, size.runs)):
        metrics = [{"key": f"m{each}", "value": number * each, "timestamp": 1} for each in range(10)]
        ask(
            server,
            "/runs/log-batch",
            run_id=run,
            metrics=metrics,
            params=[{"key": "p", "value": str(number % 7)}],
        )
    question = {
        "experiment_ids": ["0"],
        "filter": f"metrics.m3 > {size.runs} and params.p = '3'",
        "order_by": ["metrics.m5 DESC"],
        "max_results": 50,
    }
    times = []
    for _ in range(7):
        started = time.perf_counter()
        ask(server, "/runs/search", **question)
        times.append((time.perf_counter() - started) * 1000)
    yield (
        f"search over {size.runs:,} runs x 10 metrics",
        f"{sorted(times)[3]:.0f} ms (first {times[0]:.0f} ms)",
    )


def main() -> None:
    """Measure both, and print a table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="a fiftieth of it, for a look")
    size = QUICK if asked.parse_args().quick else FULL
    rows: dict[str, dict[str, str]] = {}

    def note(name: str, found: Iterator[tuple[str, str]]) -> None:
        for row, figure in found:
            rows.setdefault(row, {})[name] = figure
            print(f"  {name}: {row}: {figure}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="trimtab-bench-") as root:
        for kind in (trimtab, mlflow):
            folder = Path(root, kind.__name__)
            folder.mkdir()
            name, words, port = kind(folder)
            with serving(name, words, folder, port) as server:
                note(name, measure(server, size, Path(root)))
        with null_server() as address:
            note("a server that keeps nothing", through_client(address, size, Path(root), keeps=False))
    names = ("Trimtab", "MLflow's server", "a server that keeps nothing")
    print(f"| | {' | '.join(names)} |\n|---|---|---|---|")
    for row, figures in rows.items():
        print(f"| {row} | {' | '.join(figures.get(name, '-') for name in names)} |")


if __name__ == "__main__":
    main()
