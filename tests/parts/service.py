"""`trimtab up` as a person runs it: commands in a folder, addresses to ask."""

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def trimtab(folder: Path, *arguments: str) -> str:
    """Run a command in a folder; it must end well."""
    done = subprocess.run(
        [sys.executable, "-m", "trimtab", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[tuple[str, str]]:
    """`trimtab up --detach`; gives the addresses of the page and of the predictions."""
    page, plane = free_port(), free_port()
    ports = ["--port", str(page), "--serve-port", str(plane)]
    trimtab(folder, "up", *arguments, "--detach", *ports)
    try:
        yield f"http://127.0.0.1:{page}", f"http://127.0.0.1:{plane}"
    finally:
        trimtab(folder, "down")


def ask(address: str, body: Any = None) -> tuple[int, Any]:
    """GET, or POST where there is a body; returns status and JSON (or text)."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, content, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            status, text = reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    return status, json.loads(text) if text.startswith(("{", "[")) else text
