"""A power cut at any moment of a run, in a model of a file system that forgets all that was not flushed."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from powered import KINDS
from replay import CALLS, Disk, calls

from trimtab.adapters.local_store import open_store
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.engine.engine import Engine

RIG = Path(__file__).parent / "rig"
Record = list[tuple[str, list[object], int]]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the record of a run: `calls`; it worked in `run`."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "run").mkdir()
    watched = ["strace", "-f", "-xx", "-s", "10000000", "-e", f"trace={CALLS}", "-o", str(folder / "calls")]
    try:
        done = subprocess.run(
            [*watched, sys.executable, str(RIG / "powered.py"), str(folder / "run")],
            env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        said = "" if done.returncode == 0 else done.stderr
    except FileNotFoundError:
        said = "no strace: apt install strace"
    if said:
        if os.environ.get("CI") or "strace" not in said:
            pytest.fail(said)
        pytest.skip(said)
    return folder


def moments(record: Record, root: Path, chosen: set[int]) -> Iterator[tuple[int, Disk]]:
    """The disk after each of the chosen calls."""
    disk = Disk(PurePosixPath(root))
    for number, (call, arguments, result) in enumerate(record):
        disk.play(call, arguments, result)
        if number in chosen:
            yield number, disk


def lay_out(survivors: dict[str, bytes | None], root: Path, folder: Path) -> None:
    """Have in `folder` what a disk has after a cut; memory that processes share is none of it.

    Folders that are there stay: a store has some 260 of them.
    """
    wanted = {
        folder / Path(path).relative_to(root): content
        for path, content in survivors.items()
        if not path.endswith("-shm")
    }
    for path in sorted(folder.rglob("*"), reverse=True):
        if not path.is_dir():
            path.unlink()
        elif wanted.get(path, b"") is not None:
            path.rmdir()
    for path, content in wanted.items():
        if content is None:
            path.mkdir(mode=0o700, exist_ok=True)
        else:
            path.write_bytes(content)


def judge(folder: Path, said: list[str]) -> None:
    """The store opens; what was acknowledged before the cut is there once, anything else once or not at all."""
    store = open_store(folder / "store")
    try:
        Engine(store).tidy()
        found = fsck(store)
        assert found.sound, found.problems
        if "prepared 1" in said:
            for name, kind in KINDS.items():
                for number in (1, 2, 4, 5):
                    times = kind(store, folder).times(number)
                    assert times in ((1,) if f"{name} {number}" in said else (0, 1)), (
                        f"{name} {number}: {times}"
                    )
    finally:
        store.close()


def cut(recorded: Path, tmp_path: Path, dice: random.Random, cuts: int) -> str:
    """Cut the power so many times, at moments of the whole run."""
    record, root = list(calls(recorded / "calls")), recorded / "run"
    last, whole = next(moments(record, root, {len(record) - 1}))
    assert last
    assert whole.flushes > 50, "no run was recorded"
    assert whole.said[-1] == "closed 4"
    changes = {number for number, (call, _, _) in enumerate(record) if call != "close"}
    mine = [number for number, disk in moments(record, root, changes) if disk.now]
    chosen = set(dice.sample(mine, cuts)) if cuts < len(mine) else set(mine)
    lost = 0
    for number, disk in moments(record, root, chosen):
        survivors = disk.survivors(dice, dice.choice((0.0, 0.5, 1.0)))
        lost += len(survivors) < len(disk.now)
        folder = tmp_path / "cut"
        folder.mkdir(exist_ok=True)
        lay_out(survivors, recorded / "run", folder)
        try:
            judge(folder, disk.said)
        except Exception as error:
            error.add_note(f"cut after call {number}, after {disk.said[-3:]}; left: {sorted(survivors)[:20]}")
            raise
    assert lost > len(chosen) // 20, "the cuts took nothing away"
    return f"{len(chosen)} cuts of {len(mine)} moments, {lost} of them took names away"


def test_the_power_is_cut_at_some_moments(recorded: Path, tmp_path: Path, dice: random.Random) -> None:
    sys.stdout.write(cut(recorded, tmp_path, dice, 60) + "\n")


@pytest.mark.slow
def test_the_power_is_cut_at_every_moment(recorded: Path, tmp_path: Path, dice: random.Random) -> None:
    sys.stdout.write(cut(recorded, tmp_path, dice, 10**6) + "\n")
