"""A store has one server: the second refuses with a clear line, and a killed one leaves the way free."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

SERVER = [sys.executable, "-m", "trimtab", "server", "--port", "0"]


def start(folder: Path, *options: str, says: bytes = b"the page: ") -> subprocess.Popen[bytes]:
    """A server of the project in `folder`, once it says where its page is, or something else."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*SERVER, *options], cwd=folder, stdout=output, stderr=output, start_new_session=True
        )
    deadline = monotonic() + 30
    while says not in log.read_bytes():
        assert process.poll() is None, log.read_text()
        assert monotonic() < deadline, "the server did not start within 30 s"
        sleep(0.05)
    return process


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in the project's folder."""
    return subprocess.run(
        [sys.executable, "-m", "trimtab", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    run(tmp_path, "down")


@pytest.mark.parametrize(
    "second",
    [
        ("server", "--port", "0"),
        ("server", "--port", "0", "--detach"),
        ("up", "--port", "0", "--serve-port", "0"),
    ],
    ids=["server", "detached", "up"],
)
def test_the_second_refuses_and_names_the_first(folder: Path, second: tuple[str, ...]) -> None:
    first = start(folder, "--no-controller")
    refused = run(folder, *second)
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert f"process {first.pid}" in refused.stderr
    assert "trimtab down" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert first.poll() is None
    assert "stopped" in run(folder, "down").stdout
    assert first.wait(20) == 0


def test_where_there_is_no_project_file_it_records_and_no_loop_turns(folder: Path) -> None:
    """The controller ended five times for want of a project file, and then the server with it."""
    server = start(folder, says=b"no project.py in ")
    assert not (folder / ".trimtab" / "run" / "controller.log").exists()
    assert "stopped" in run(folder, "down").stdout
    assert server.wait(20) == 0


def test_a_killed_server_is_no_obstacle(folder: Path) -> None:
    first = start(folder, "--no-controller")
    os.kill(first.pid, signal.SIGKILL)
    assert first.wait(20) == -9
    second = start(folder, "--no-controller")
    assert "stopped" in run(folder, "down").stdout
    assert second.wait(20) == 0
