"""Versions of data beside DVC: 1 GB in one file, and 10,000 files of 50 kB, each command a process of its own.

    PEERS_PYTHON=/path/to/python python bench/data_versions.py [--rounds N]

`PEERS_PYTHON` is the Python of an environment with dvc (`python -m venv peers && peers/bin/pip install dvc`); without
it `dvc` is looked for on the PATH, and without that Trimtab is measured alone. Everything lies in the page cache
before each command. Trimtab's versions are on the disk when it ends, and it checks what it brings back against its
digests; DVC does neither. The floors are the same bytes copied by `cp` and hashed by one core.
"""
# ruff: noqa: T201 (it prints its result)

import argparse
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BIG_BYTES = 1 << 30
FILES, FILE_BYTES = 10_000, 50_000
CHANGED_BYTES, INSERTED_BYTES, CHANGED_FILES = 10_000_000, 1_000, 100
STEPS = ("add", "add again, unchanged", "add, 1 % changed", "check out into an empty folder")


@dataclass(frozen=True)
class Figure:
    """One command of one program."""

    seconds: float
    stored_bytes: int


def make_big(folder: Path) -> None:
    """One file of random bytes."""
    with (folder / "big.bin").open("wb") as file:
        for _ in range(BIG_BYTES >> 24):
            file.write(os.urandom(1 << 24))


def change_big(folder: Path) -> None:
    """10 MB in the middle are new, and 1 kB is put in front."""
    with (folder / "big.bin").open("r+b") as file:
        file.seek(BIG_BYTES // 2)
        file.write(os.urandom(CHANGED_BYTES))
    moved = folder.parent / "moved.bin"
    with moved.open("wb") as file, (folder / "big.bin").open("rb") as before:
        file.write(os.urandom(INSERTED_BYTES))
        shutil.copyfileobj(before, file, 1 << 24)
    os.replace(moved, folder / "big.bin")


def make_small(folder: Path) -> None:
    """Many small files in 100 folders."""
    for number in range(FILES):
        place = folder / f"{number % 100:02d}"
        place.mkdir(exist_ok=True)
        (place / f"{number:05d}.bin").write_bytes(os.urandom(FILE_BYTES))


def change_small(folder: Path) -> None:
    """One file in 100 is new."""
    for number in random.Random(1).sample(range(FILES), CHANGED_FILES):
        (folder / f"{number % 100:02d}" / f"{number:05d}.bin").write_bytes(os.urandom(FILE_BYTES))


SETS: dict[str, tuple[Callable[[Path], None], Callable[[Path], None]]] = {
    "1 GB in one file": (make_big, change_big),
    "10,000 files of 50 kB": (make_small, change_small),
}


class Trimtab:
    """This program."""

    name = "Trimtab"

    def __init__(self, root: Path) -> None:
        self._root, self._store = root, root / ".trimtab"

    def add(self) -> None:
        """A version of the folder `data`."""
        self._run("ingest", "data")

    def check_out(self) -> None:
        """The newest version again."""
        self._run("data", "checkout", "data")

    def stored(self) -> int:
        """Bytes of the store."""
        return size_of(self._store)

    def warm(self) -> Path:
        """What is to be in the page cache."""
        return self._store

    def _run(self, *words: str) -> None:
        program = [str(Path(sys.executable).parent / "trimtab"), *words]
        subprocess.run(
            program, cwd=self._root, check=True, stdout=subprocess.DEVNULL, env=plain_environment()
        )


class Dvc:
    """DVC with its own defaults, without git."""

    name = "DVC"

    def __init__(self, root: Path, program: str) -> None:
        self._root, self._program = root, program
        self._run("init", "--no-scm", "-q")
        self._run("config", "core.analytics", "false")
        self._run("config", "core.check_update", "false")

    def add(self) -> None:
        """A version of the folder `data`."""
        self._run("add", "-q", "data")

    def check_out(self) -> None:
        """The newest version again."""
        self._run("checkout", "-q", "data.dvc")

    def stored(self) -> int:
        """Bytes of the cache."""
        return size_of(self._root / ".dvc" / "cache")

    def warm(self) -> Path:
        """What is to be in the page cache."""
        return self._root / ".dvc" / "cache"

    def _run(self, *words: str) -> None:
        subprocess.run(
            [self._program, *words],
            cwd=self._root,
            check=True,
            stdout=subprocess.DEVNULL,
            env=plain_environment() | {"DVC_NO_ANALYTICS": "1"},
        )


def plain_environment() -> dict[str, str]:
    """The environment without what would make start-up slower than it is for a user."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def warm(*folders: Path) -> None:
    """Read everything, so that it lies in the page cache, and let earlier writes reach the disk."""
    os.sync()
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                with path.open("rb", buffering=0) as file:
                    while file.read(1 << 24):
                        pass


def measure(program: Trimtab | Dvc, root: Path, change: Callable[[Path], None]) -> list[Figure]:
    """The four steps."""
    data = root / "data"
    figures = []
    for step in STEPS:
        if "changed" in step and "un" not in step:
            change(data)
        if "check out" in step:
            shutil.rmtree(data)
        warm(*(folder for folder in (data, program.warm()) if folder.exists()))
        before = program.stored()
        # Files that were written just now are never taken for untouched, by either program.
        time.sleep(0.5)
        started = time.perf_counter()
        (program.check_out if "check out" in step else program.add)()
        figures.append(Figure(time.perf_counter() - started, program.stored() - before))
    return figures


def floors(data: Path, scratch: Path) -> tuple[float, float]:
    """Seconds of `cp` and of SHA-256 on one core over the same bytes."""
    warm(data)
    started = time.perf_counter()
    subprocess.run(["cp", "-r", str(data), str(scratch / "copy")], check=True)
    copied = time.perf_counter() - started
    shutil.rmtree(scratch / "copy")
    started = time.perf_counter()
    for path in data.rglob("*"):
        if path.is_file():
            with path.open("rb", buffering=0) as file:
                hashlib.file_digest(file, "sha256")
    return copied, time.perf_counter() - started


def dvc_program() -> str | None:
    """DVC as PEERS_PYTHON or the PATH has it."""
    python = os.environ.get("PEERS_PYTHON")
    beside = Path(python).parent / "dvc" if python else None
    return str(beside) if beside and beside.exists() else shutil.which("dvc")


def main() -> None:
    """Measure both in turn, round by round, and print the best of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    dvc = dvc_program()
    if dvc is None:
        print("DVC is not here: python -m venv peers && peers/bin/pip install dvc, then PEERS_PYTHON\n")
    for name, (make, change) in SETS.items():
        best: dict[str, list[Figure]] = {}
        floor = (float("inf"), float("inf"))
        for _ in range(rounds):
            for who in ("Trimtab", *(["DVC"] if dvc else [])):
                with tempfile.TemporaryDirectory() as scratch:
                    root = Path(scratch)
                    (root / "data").mkdir()
                    make(root / "data")
                    if who == "Trimtab":
                        copied, hashed = floors(root / "data", root)
                        floor = (min(floor[0], copied), min(floor[1], hashed))
                    program = Trimtab(root) if who == "Trimtab" else Dvc(root, dvc or "")
                    figures = measure(program, root, change)
                was = best.get(who, figures)
                best[who] = [
                    min(pair, key=lambda each: each.seconds) for pair in zip(was, figures, strict=True)
                ]
        report(name, best, floor)


def report(name: str, best: dict[str, list[Figure]], floor: tuple[float, float]) -> None:
    """Print one table."""
    print(f"{name}: cp {floor[0]:.2f} s, SHA-256 on one core {floor[1]:.2f} s\n")
    print("| step | " + " | ".join(f"{who}, s | stored, MB" for who in best) + " | times as fast |")
    print("|---|" + "---:|" * (2 * len(best) + 1))
    for place, step in enumerate(STEPS):
        cells = [
            f"{each[place].seconds:.2f} | {each[place].stored_bytes / 1e6:,.1f}" for each in best.values()
        ]
        ratio = f"{best['DVC'][place].seconds / best['Trimtab'][place].seconds:.1f}" if len(best) > 1 else "-"
        print(f"| {step} | {' | '.join(cells)} | {ratio} |")
    print(flush=True)


if __name__ == "__main__":
    main()
