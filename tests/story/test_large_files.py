"""Large files of many clients at once: the server's memory does not grow with them, however slow the clients are."""

import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest

from parts.control import Control, control

API = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts/0"
CLIENTS = 30
FILE_BYTES = 24_000_000
#: What a piece of each client would take if it lay in memory is five times as much.
MOST_GROWN_BYTES = 90_000_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Control]:
    with control(tmp_path / "project") as running:
        yield running
        assert "Traceback" not in running.log


@pytest.fixture
def folder(server: Control) -> str:
    """Where a run's files are."""
    asked = {"experiment_id": "0", "start_time": 1}
    run = httpx2.post(f"{server.address}{API}/runs/create", json=asked).json()["run"]["info"]["run_id"]
    return f"{FILES}/{run}/artifacts"


def connect(server: Control, stack: ExitStack, head: str) -> socket.socket:
    """A client that has sent the head of a request; the name of the host is added to it."""
    host, port = urlsplit(server.address).hostname, urlsplit(server.address).port
    client = stack.enter_context(socket.create_connection((host, port), timeout=30))
    client.sendall(f"{head}\r\nHost: {host}:{port}\r\n\r\n".encode())
    return client


def grown(server: Control, since: int, until: Callable[[], bool]) -> int:
    """By how many bytes the server's memory has grown at most, while something is waited for."""
    process, most, end = psutil.Process(server.child.process.pid), 0, time.monotonic() + 60
    while not until():
        assert time.monotonic() < end, "nothing came of it in a minute"
        most = max(most, int(process.memory_info().rss) - since)
        time.sleep(0.01)
    return most


def test_clients_that_stop_reading_hold_no_memory(server: Control, folder: str) -> None:
    content = os.urandom(FILE_BYTES)
    assert httpx2.put(f"{server.address}{folder}/large", content=content).status_code == 200
    before = psutil.Process(server.child.process.pid).memory_info().rss
    with ExitStack() as stack:
        clients = [connect(server, stack, f"GET {folder}/large HTTP/1.1") for _ in range(CLIENTS)]
        begun: set[socket.socket] = set()

        def all_have_begun() -> bool:
            begun.update(select.select(clients, [], [], 0)[0])
            return len(begun) == CLIENTS

        assert grown(server, before, all_have_begun) < MOST_GROWN_BYTES
        got = b""
        while len(got.partition(b"\r\n\r\n")[2]) < FILE_BYTES:
            got += clients[0].recv(1 << 20)
        assert got.partition(b"\r\n\r\n")[2] == content


def test_clients_that_stop_sending_hold_no_memory_and_leave_nothing(server: Control, folder: str) -> None:
    before = psutil.Process(server.child.process.pid).memory_info().rss
    incoming = Path(server.project.folder, ".trimtab", "blobs", "incoming")
    sent = os.urandom(15_000_000)

    def kept() -> int:
        return sum(path.stat().st_size for path in incoming.iterdir())

    with ExitStack() as stack:
        for number in range(CLIENTS):
            head = f"PUT {folder}/part-{number} HTTP/1.1\r\nContent-Length: {FILE_BYTES}"
            connect(server, stack, head).sendall(sent)
        most = grown(server, before, lambda: kept() > CLIENTS * 13_000_000)
        assert most < MOST_GROWN_BYTES
    grown(server, before, lambda: not list(incoming.iterdir()))
    listed = httpx2.get(f"{server.address}{API}/artifacts/list?run_id={folder.split('/')[-2]}").json()
    assert "files" not in listed
