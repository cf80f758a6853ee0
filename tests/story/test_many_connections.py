"""More connections at once than the shell's own limit of open files would let a server hold."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from parts.control import Control, control

FEW_FILES, CLIENTS = 100, 200


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Control]:
    """A control plane that was started where a process may open few files, as it is on macOS."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_FILES, before[1]))
    try:
        with ExitStack() as stack:
            running = stack.enter_context(control(tmp_path / "project"))
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            yield running
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_everybody_is_answered(server: Control) -> None:
    host, port = urlsplit(server.address).hostname, urlsplit(server.address).port
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection((host, port), timeout=30)) for _ in range(CLIENTS)
        ]
        for client in clients:
            client.sendall(f"GET /healthz HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        assert [client.recv(12) for client in clients] == [b"HTTP/1.1 200"] * CLIENTS
