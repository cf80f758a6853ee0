"""MLflow's own client, unmodified, against a real server: what its users do comes out as with MLflow's own server."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from parts.control import control
from parts.mlflow_training import DOCUMENTED, environment, printed
from parts.noting_proxy import noting_proxy

SCRIPT = Path(__file__).with_name("mlflow_script.py")
TRAINING = Path(__file__).with_name("mlflow_training.py")
PARTS = ("experiments", "runs", "histories", "search", "files", "models", "inputs", "evaluate", "traces")


def came(address: str, folder: Path, *parts: str) -> dict[str, Any]:
    """What the script printed of each part."""
    lines = printed(SCRIPT, address, folder, *parts).splitlines()
    told = [json.loads(line) for line in lines if line.startswith('{"part"')]
    return {each["part"]: each["came"] for each in told}


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """MLflow's own server on SQLite."""
    folder.mkdir()
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    words = ["server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--workers", "1"]
    words += ["--artifacts-destination", str(folder / "files"), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words],
            env=environment(""), stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 300
        while not answers(address):
            assert server.poll() is None, (folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "it was not ready within five minutes"
            time.sleep(0.2)
        yield address
    finally:
        # Its workers outlive a polite word by minutes where the machine is busy; nothing of it is needed any more.
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=2):
            return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Any]:
    """What came of every part, and what passed on the way."""
    folder = tmp_path_factory.mktemp("mlflow")
    with control(folder / "project") as plane, noting_proxy(plane.address) as notes:
        return came(notes.address, folder / "work", *PARTS), notes


def test_every_part_works(told: tuple[dict[str, Any], Any]) -> None:
    parts, _ = told
    assert set(parts) == set(PARTS)
    assert parts["models"]["same answers"]
    assert parts["models"]["same model"]
    assert parts["runs"]["child of"]
    assert all(parts["files"]["same"].values())
    assert len(parts["files"]["same"]) == 4
    assert parts["inputs"]["points"] == 50
    assert parts["traces"] == {"answer": 42}
    assert parts["evaluate"]["same"]


def test_nothing_that_the_client_asks_for_is_unknown_here(told: tuple[dict[str, Any], Any]) -> None:
    """Every call answered by 404, 405 or 501 is documented, or asked for a thing that is not there."""
    _, notes = told
    assert len(notes.calls) > 300, "the proxy saw the client"
    assert notes.failed() == set()
    assert notes.unanswered() <= DOCUMENTED
    assert notes.unanswered(), "the traces were sent here"
    assert notes.unknown() == set()
    assert notes.nothing_there, "the script asked for what is not there"


def test_the_same_comes_of_it_with_mlflows_own_server(
    told: tuple[dict[str, Any], Any], tmp_path: Path
) -> None:
    """Found, ordered and paged alike, histories alike, and errors of the same code."""
    compared = ("experiments", "runs", "histories", "search", "inputs")
    with mlflow_server(tmp_path / "mlflow") as address:
        theirs = came(address, tmp_path / "work", *compared)
    ours = {part: told[0][part] for part in compared}
    assert ours == theirs


def test_a_server_that_stops_in_the_middle_of_a_training_is_missed_by_nobody(tmp_path: Path) -> None:
    """It is killed twice while the client logs; the training goes on when it is back, and nothing is there twice."""
    folder = tmp_path / "project"
    with control(folder) as plane:
        address = plane.address
        port = int(address.rpartition(":")[2])
        training = subprocess.Popen(
            [sys.executable, str(TRAINING)],
            env=environment(address) | {"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1"},
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert training.stdout is not None
        run = training.stdout.readline().strip()
        _await_steps(training, 30)
        plane.child.process.kill()
        plane.child.process.wait()
    time.sleep(1.5)
    with control(folder, port=port) as plane:
        _await_steps(training, 60)
        plane.child.process.kill()
        plane.child.process.wait()
    time.sleep(0.5)
    with control(folder, port=port):
        _, err = training.communicate(timeout=120)
        assert training.returncode == 0, err[-3000:]
        script = (
            "import json, sys, mlflow; client = mlflow.MlflowClient(); run = client.get_run(sys.argv[1]);"
            "print(json.dumps([run.info.status, sorted(run.data.params),"
            "[(p.step, p.value) for p in client.get_metric_history(sys.argv[1], 'loss')],"
            "[(p.step, p.value) for p in client.get_metric_history(sys.argv[1], 'late')]]))"
        )
        asked = subprocess.run(
            [sys.executable, "-c", script, run],
            env=environment(address),
            capture_output=True,
            text=True,
            check=True,
        )
    status, params, loss, late = json.loads(asked.stdout.splitlines()[-1])
    assert status == "FINISHED"
    assert params == [f"p{step}" for step in sorted(map(str, range(0, 100, 10)))]
    assert loss == [[step, step / 2] for step in range(100)]
    assert late == [[step, step / 4] for step in range(100)]


def _await_steps(training: "subprocess.Popen[str]", upto: int) -> None:
    assert training.stdout is not None
    for line in training.stdout:
        if line.strip() == str(upto):
            return
    assert training.stderr is not None
    raise AssertionError(f"the training ended before step {upto}: {training.stderr.read()[-3000:]}")
