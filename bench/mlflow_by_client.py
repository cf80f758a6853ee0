"""What MLflow's unmodified client does to a server, timed without its imports: prints seconds.

    MLFLOW_TRACKING_URI=http://... python bench/mlflow_by_client.py PART WORDS ...

`null-server` is no part: it prints its address and, until it is ended, says yes to every call and keeps nothing. What
a part takes against it is what the client itself costs.
"""
# ruff: noqa: T201 (it prints its result)

import http.server
import json
import os
import socketserver
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def points(count: str) -> float:
    """`log_metric`, one after the other."""
    from mlflow import MlflowClient

    client = MlflowClient()
    run = _run(client)
    started = time.perf_counter()
    for step in range(int(count)):
        client.log_metric(run, "loss", 0.5, step=step)
    return time.perf_counter() - started


def batches(count: str, size: str) -> float:
    """`log_batch`, one after the other."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    client = MlflowClient()
    run = _run(client)
    started = time.perf_counter()
    for batch in range(int(count)):
        first = batch * int(size)
        client.log_batch(run, [Metric("loss", 0.5, 1, step) for step in range(first, first + int(size))])
    return time.perf_counter() - started


def file_up(folder: str, size: str) -> float:
    """One large file."""
    path = Path(folder, "large.bin")
    if not path.exists():
        with path.open("wb") as file:
            for _ in range(int(size) >> 20):
                file.write(os.urandom(1 << 20))
    return _up(Path(folder), lambda log: log.log_artifact(str(path)))


def file_down(folder: str, size: str) -> float:
    """The same, back."""
    return _down(Path(folder))


def files_up(folder: str, count: str) -> float:
    """Small files of 2 kB in ten folders."""
    with tempfile.TemporaryDirectory(dir=folder) as tree:
        for number in range(int(count)):
            path = Path(tree, f"d{number % 10}", f"f{number}")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(os.urandom(2000))
        return _up(Path(folder), lambda log: log.log_artifacts(tree))


def files_down(folder: str, count: str) -> float:
    """The same, back."""
    return _down(Path(folder))


def _run(client: object) -> str:
    return str(client.create_run("0").info.run_id)  # type: ignore[attr-defined]


def _up(folder: Path, put: Callable[[Any], None]) -> float:
    import mlflow

    with mlflow.start_run() as run:
        (folder / "last-run").write_text(run.info.run_id)
        mlflow.log_text("", "warm-up.txt")
        started = time.perf_counter()
        put(mlflow)
        return time.perf_counter() - started


def _down(folder: Path) -> float:
    import mlflow

    run = (folder / "last-run").read_text()
    with tempfile.TemporaryDirectory(dir=folder) as where:
        started = time.perf_counter()
        mlflow.artifacts.download_artifacts(run_id=run, dst_path=where)
        return time.perf_counter() - started


#: Enough for the client to go on, whatever it asked.
_RUN = {"run_id": "0" * 32, "experiment_id": "0", "status": "RUNNING", "lifecycle_stage": "active"}
_ANSWER = json.dumps(
    {
        "run": {"info": _RUN | {"artifact_uri": f"mlflow-artifacts:/0/{'0' * 32}/artifacts"}, "data": {}},
        "experiment": {"experiment_id": "0", "name": "Default", "lifecycle_stage": "active"},
    }
).encode()


class _Yes(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    #: Head and body go out together; apart, the second would wait for the first to be acknowledged.
    wbufsize = -1

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        while length > 0:
            length -= len(self.rfile.read(min(length, 1 << 20)))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(_ANSWER)))
        self.end_headers()
        self.wfile.write(_ANSWER)

    do_POST = do_PUT = do_PATCH = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


def main() -> None:
    """Run from the command line."""
    part, *words = sys.argv[1:]
    if part == "null-server":
        server = _Server(("127.0.0.1", 0), _Yes)
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()
    parts = {
        each.__name__.replace("_", "-"): each
        for each in (points, batches, file_up, file_down, files_up, files_down)
    }
    print(parts[part](*words))


if __name__ == "__main__":
    main()
