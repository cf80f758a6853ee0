"""A disk that refuses a flush ends the prediction plane: nothing is acknowledged, and its status is no zero."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from plane import MODEL, ROW, release_toy
from tap import Tap

from trimtab.adapters.local_store import open_store

PLANE = Path(__file__).parent / "rig" / "plane.py"


def predict(address: str, name: str) -> int:
    """Status of one request."""
    body = json.dumps({"rows": [ROW], "request_id": name}).encode()
    request = urllib.request.Request(f"{address}/predict/{MODEL}", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


def eventually(what: Callable[[], bool]) -> None:
    """Wait for another process."""
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_a_failed_flush_ends_the_plane(tmp_path: Path, tracing: None) -> None:
    folder, ready, said = tmp_path / "store", tmp_path / "address", tmp_path / "said"
    store = open_store(folder)
    release_toy(store)
    store.close()
    with said.open("wb") as output:
        plane = subprocess.Popen(
            [sys.executable, str(PLANE), str(folder), str(ready)],
            stderr=output,
            env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
        )
    try:
        eventually(ready.exists)
        address = ready.read_text().strip()
        eventually(lambda: predict(address, "before") == 200)
        threads = [int(task.name) for task in Path(f"/proc/{plane.pid}/task").iterdir()]
        tap = Tap(tmp_path / "calls", threads, "-e", "inject=fdatasync:error=EIO:when=1+")
        assert predict(address, "during") == 503
        assert plane.wait(20) == 1
        assert "(INJECTED)" in tap.close(), "the fault did not fire"
    finally:
        plane.kill()
        plane.wait()
    assert "the disk did not take a write" in said.read_text()
    assert "start again" in said.read_text().splitlines()[-1]
    again = open_store(folder)
    logged = [json.loads(record)["id"] for record in again.streams.read(f"predictions/{MODEL}")[0]]
    again.close()
    assert "before" in logged
