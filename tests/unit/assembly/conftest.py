"""A store on disk with a made-up year, and what the tests of its keeping share."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trimtab.adapters.local_store import open_store
from trimtab.engine.store import Store
from trimtab.testing.example_year import example_year
from trimtab.testing.manual_clock import ManualClock

#: After the made-up year, whose records are of 2013.
LATER = datetime(2014, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def kept_year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store on disk; tests get copies."""
    folder = tmp_path_factory.mktemp("year") / "store"
    store = open_store(folder)
    example_year(store, days=75)
    store.close()
    return folder


@pytest.fixture
def year_folder(kept_year: Path, tmp_path: Path) -> Path:
    """A store on disk of the test's own."""
    return Path(shutil.copytree(kept_year, tmp_path / "store"))


@pytest.fixture
def year(year_folder: Path) -> Iterator[Store]:
    """The store, opened at the beginning of 2014."""
    opened = open_store(year_folder, clock=ManualClock(LATER))
    yield opened
    opened.close()


@pytest.fixture
def set_back() -> Callable[[Path, float], None]:
    """Make every blob of a store's folder look as if nobody had put it for so many seconds."""

    def age(folder: Path, seconds: float) -> None:
        for path in (folder / "blobs").glob("??/*"):
            stat = path.stat()
            os.utime(path, (stat.st_atime, stat.st_mtime - seconds))

    return age


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start Python processes, whose standard output and input are pipes; none outlives the test."""
    begun: list[subprocess.Popen[str]] = []

    def run(program: str, *arguments: object) -> subprocess.Popen[str]:
        begun.append(
            subprocess.Popen(
                [sys.executable, "-c", program, *map(str, arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                text=True,
            )
        )
        return begun[-1]

    yield run
    for child in begun:
        with child:
            child.kill()
