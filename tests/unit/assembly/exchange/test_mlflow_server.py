"""An MLflow server that does not give everything."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from trimtab.assembly.exchange.foreign_place import open_foreign
from trimtab.atoms.error import StoreError, UsageError


@contextmanager
def serving(answers: dict[str, Any]) -> Iterator[str]:
    """A server that gives these answers by path, and status 500 to any other question."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = answers.get(self.path)
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(500 if answer is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, format: str, *values: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_files_that_a_server_does_not_give_are_no_reason_to_stop() -> None:
    """A server whose own S3 is away answers 500 for one run's files, and gives those of another."""
    with serving({"/api/2.0/mlflow/experiments/search": {}}) as address:
        store = open_foreign(address)
        with pytest.raises(UsageError, match="answered 500"):
            store.files("run:r1")
        with pytest.raises(UsageError, match="not handed out"):
            store.files("s3://bucket/model")
    with serving({}) as address, pytest.raises(StoreError, match="answered 500"):
        open_foreign(address).files("run:r1")


def test_files_of_a_run_that_the_server_does_not_proxy_are_read_by_it() -> None:
    listed, given = "/api/2.0/mlflow/artifacts/list?run_id=r1", "/get-artifact?run_uuid=r1&path"
    answers = {
        listed: {"files": [{"path": "a", "is_dir": False}, {"path": "data", "is_dir": True}]},
        f"{listed}&path=data": {"files": [{"path": "data/w", "is_dir": False}]},
        f"{given}=a": b"A",
        f"{given}=data%2Fw": b"W",
    }
    with serving(answers) as address:
        read = {file.path: b"".join(file.read()) for file in open_foreign(address).files("run:r1")}
    assert read == {"a": b"A", "data/w": b"W"}


def test_files_of_a_logged_model_that_the_server_does_not_proxy_are_read_by_it() -> None:
    listed = "/api/2.0/mlflow/logged-models/m-1/artifacts/directories"
    files = "/ajax-api/2.0/mlflow/logged-models/m-1/artifacts/files?artifact_file_path"
    model = {
        "info": {
            "model_id": "m-1",
            "experiment_id": "1",
            "name": "m",
            "creation_timestamp_ms": 1,
            "last_updated_timestamp_ms": 1,
            "artifact_uri": "/srv/mlruns/1/models/m-1/artifacts",
        }
    }
    answers = {
        "/api/2.0/mlflow/experiments/search": {"experiments": [{"experiment_id": "1", "name": "e"}]},
        "/api/2.0/mlflow/logged-models/search": {"models": [model]},
        listed: {"files": [{"path": "MLmodel", "is_dir": False}, {"path": "data", "is_dir": True}]},
        f"{listed}?artifact_directory_path=data": {"files": [{"path": "data/w", "is_dir": False}]},
        f"{files}=MLmodel": b"flavors",
        f"{files}=data%2Fw": b"weights",
    }
    with serving(answers) as address:
        store = open_foreign(address)
        (found,) = store.models()
        read = {file.path: b"".join(file.read()) for file in store.files(found.place)}
    assert read == {"MLmodel": b"flavors", "data/w": b"weights"}
