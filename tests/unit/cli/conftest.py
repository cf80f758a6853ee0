"""A program that is run in this process, and a store on disk with a made-up year."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from trimtab.adapters.local_store import open_store
from trimtab.cli.program import main
from trimtab.testing.example_year import example_year


@dataclass(frozen=True)
class Ran:
    """How a run of the program ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def trimtab(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run `trimtab ARGUMENTS`."""
    monkeypatch.delenv("TRIMTAB_STORE", raising=False)
    monkeypatch.delenv("TRIMTAB_DEBUG", raising=False)

    def run(*arguments: object) -> Ran:
        capfd.readouterr()
        status = main([str(each) for each in arguments])
        out, err = capfd.readouterr()
        return Ran(status, out, err)

    return run


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
