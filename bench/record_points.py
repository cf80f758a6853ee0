"""Metric points a second from a training's own process: `trimtab.run()` beside MLflow's client, to folder and server.

    python bench/record_points.py [ROUNDS]

Each way logs in a process of its own, round by round in turns. "durable": every point is flushed to disk, with a
server that the server has answered every one; for MLflow, that its call returned. The longest single call is what a
training is held up by; the end of a run is told apart, since Trimtab seals the run then.
"""
# ruff: noqa: T201 (it prints its result)

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import warnings
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

BATCH = 1000


class Timed:
    """Calls that are timed one by one."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    def __call__(self, call: Callable[..., object], *args: object) -> None:
        """Make a call."""
        began = time.perf_counter()
        call(*args)
        self.longest_s = max(self.longest_s, time.perf_counter() - began)


class Took(NamedTuple):
    """Seconds since the first call."""

    returned_s: float
    durable_s: float
    #: Of the end of the run alone.
    end_s: float = 0.0


def trimtab_one_by_one(place: str, points: int, timed: Timed) -> Took:
    """`run.metric` a point."""

    def log(run: Any) -> None:
        for step in range(points):
            timed(run.metric, "loss", 0.5, step)

    return _recorded(place, log)


def trimtab_arrays(place: str, points: int, timed: Timed) -> Took:
    """`run.series` of 1,000 points."""
    values = array("d", [0.5]) * BATCH

    def log(run: Any) -> None:
        for first in range(0, points, BATCH):
            timed(run.series, "loss", range(first, first + BATCH), values)

    return _recorded(place, log)


def _recorded(place: str, log: Callable[[Any], None]) -> Took:
    import trimtab

    server, project = (place, None) if place.startswith("http") else (None, place)
    run = trimtab.run("bench", server=server, project=project, capture=False, system_metrics=False)
    began = time.perf_counter()
    log(run)
    returned = time.perf_counter()
    run.flush()
    if server:
        trimtab.sync(server, patience_s=300.0)
    durable = time.perf_counter()
    run.end()
    return Took(returned - began, durable - began, time.perf_counter() - durable)


def mlflow_one_by_one(place: str, points: int, timed: Timed) -> Took:
    """`log_metric` a point, each waiting for its answer, as MLflow does by itself."""
    client, run = _mlflow(place)
    began = time.perf_counter()
    for step in range(points):
        timed(lambda step=step: client.log_metric(run, "loss", 0.5, step=step))
    return _ended(client, run, began)


def mlflow_batches(place: str, points: int, timed: Timed) -> Took:
    """`log_batch` of 1,000 points."""
    from mlflow.entities import Metric

    client, run = _mlflow(place)
    began = time.perf_counter()
    for first in range(0, points, BATCH):
        batch = [Metric("loss", 0.5, 1, step) for step in range(first, first + BATCH)]
        timed(lambda batch=batch: client.log_batch(run, batch))
    return _ended(client, run, began)


def _ended(client: Any, run: str, began: float) -> Took:
    durable = time.perf_counter()
    client.set_terminated(run)
    return Took(durable - began, durable - began, time.perf_counter() - durable)


#: How, to what, how many points.
WAYS: dict[str, tuple[Callable[[str, int, Timed], Took], str, int]] = {
    "Trimtab, its store, one by one": (trimtab_one_by_one, "store", 300_000),
    "Trimtab, its store, arrays of 1,000": (trimtab_arrays, "store", 300_000),
    "Trimtab, its server, one by one": (trimtab_one_by_one, "server", 100_000),
    "Trimtab, its server, arrays of 1,000": (trimtab_arrays, "server", 100_000),
    "MLflow, folder of files, one by one": (mlflow_one_by_one, "files", 1_000),
    "MLflow, SQLite, one by one": (mlflow_one_by_one, "sqlite", 300),
    "MLflow, its server on SQLite, one by one": (mlflow_one_by_one, "mlflow server", 300),
    "MLflow, its server on SQLite, 1,000 a call": (mlflow_batches, "mlflow server", 20_000),
}


def _mlflow(place: str) -> tuple[Any, str]:
    import logging

    from mlflow import MlflowClient

    logging.disable(logging.INFO)
    client = MlflowClient(tracking_uri=place)
    return client, client.create_run(client.create_experiment(os.urandom(8).hex())).info.run_id


def child(name: str, place: str) -> None:
    """Log one way and print what came of it."""
    warnings.simplefilter("ignore")
    work, _, points = WAYS[name]
    work(place, min(points, BATCH), Timed())  # what is loaded late is loaded now
    timed = Timed()
    took = work(place, points, timed)
    said = {"durable": points / took.durable_s, "returned": points / took.returned_s}
    print(json.dumps(said | {"longest_ms": timed.longest_s * 1000, "end_s": took.end_s}))


@contextmanager
def places(folder: Path) -> Iterator[dict[str, str]]:
    """Somewhere to log to, of each kind."""
    from trimtab.assembly.planes import free_port, start_page
    from trimtab.assembly.project import open_project

    (folder / "project").mkdir()
    (folder / "project" / "trimtab.toml").touch()
    os.environ["TRIMTAB_SPOOL"] = str(folder / "spool")
    plane, address = start_page(open_project(folder / "project", declarations=False), port=None)
    port = free_port("127.0.0.1", 0, "--port")
    words = [
        *(
            sys.executable,
            "-m",
            "mlflow",
            "server",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--workers",
            "2",
        ),
        *(
            "--backend-store-uri",
            f"sqlite:///{folder}/server.db",
            "--artifacts-destination",
            f"{folder}/artifacts",
        ),
    ]
    log = (folder / "mlflow.log").open("wb")
    server = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_for(f"http://127.0.0.1:{port}/health")
        yield {
            "store": str(folder / "project"),
            "server": address,
            "files": f"file://{folder}/mlruns",
            "sqlite": f"sqlite:///{folder}/mlflow.db",
            "mlflow server": f"http://127.0.0.1:{port}",
        }
    finally:
        plane.stop()
        os.killpg(server.pid, 15)
        server.wait()
        log.close()


def _wait_for(address: str) -> None:
    deadline = time.monotonic() + 240
    while True:
        try:
            with urllib.request.urlopen(address, timeout=20):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def main() -> None:
    """Measure and print a table."""
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2], sys.argv[3])
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    found: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    environment = os.environ | {"MLFLOW_ALLOW_FILE_STORE": "true"}
    for _ in range(rounds):
        with (
            tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as made,
            places(Path(made)) as to,
        ):
            environment["TRIMTAB_SPOOL"] = os.environ["TRIMTAB_SPOOL"]
            for name, (_, kind, _) in WAYS.items():
                words = [sys.executable, __file__, "child", name, to[kind]]
                done = subprocess.run(
                    words, capture_output=True, text=True, env=environment, check=False, timeout=600
                )
                if done.returncode:
                    raise SystemExit(f"{name}: {done.stderr[-2000:]}")
                found[name].append(json.loads(done.stdout.splitlines()[-1]))
    print(f"medians of {rounds} rounds, each way in turn\n")
    print("| | durable points/s | returned points/s | longest call, ms | end of the run, s |")
    print("|---|---:|---:|---:|---:|")
    for name, said in found.items():
        median = {key: statistics.median(each[key] for each in said) for key in said[0]}
        print(
            f"| {name} | {median['durable']:,.0f} | {median['returned']:,.0f} "
            f"| {median['longest_ms']:,.1f} | {median['end_s']:.2f} |"
        )


if __name__ == "__main__":
    main()
