"""kill -9 of processes that track runs at once: nothing acknowledged is lost, and the index made anew says the same."""

import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
import track

from trimtab.adapters.local_store import open_store
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.atoms.content.run_log import RunLog
from trimtab.atoms.run import RunStatus
from trimtab.engine.engine import Engine
from trimtab.engine.metric_series import read_sealed
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.tracking.tracking import Tracking, open_tracking

RIG = Path(__file__).parent / "rig"
#: Numbers of one life of a worker.
STRIDE = 10_000_000
THREADS = 8


def live_once(folder: Path, first: int, dice: random.Random, kept: dict[str, list[tuple[str, int]]]) -> None:
    """Two workers at once on one store; both are killed in the middle, and what they said is taken down."""
    commands: list[list[str | Path]] = [
        [sys.executable, RIG / "track.py", folder, str(first + number * STRIDE), str(THREADS)]
        for number in range(2)
    ]
    environment = {"PYTHONPATH": ":".join(sys.path)}
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for command in commands]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"ready - 0\n"
        time.sleep(dice.uniform(0.3, 0.8))  # the moment of the kill: there is nothing to wait for
    finally:
        died = [worker.poll() for worker in workers]
        for worker in workers:
            worker.kill()
        said = [worker.communicate()[0].decode().splitlines(keepends=True) for worker in workers]
    assert died == [None, None], "the kill found nobody alive"
    for line in (line for lines in said for line in lines if line.endswith("\n")):
        what, run, number = line.split()
        kept[what].append((run, int(number)))


def judge(tracking: Tracking, kept: dict[str, list[tuple[str, int]]]) -> None:
    """Everything acknowledged is there, as it was said, and once."""
    steps: dict[str, set[int]] = defaultdict(set)
    for run, step in kept["step"]:
        steps[run].add(step)
    for run, number in kept["open"]:
        assert tracking.runs.find(run).parameters == {"first": str(number)}
    for run, logged in steps.items():
        there = [point.step for point in tracking.logbook.points(run, "loss")]
        assert len(there) == len(set(there))
        assert logged <= set(there)
        assert int(tracking.runs.find(run).tags["step"]) >= max(logged)
    for run, number in kept["file"]:
        assert b"".join(tracking.files.read(tracking.files.find(run, "a/file"))) == track.content(number)
    for run, number in kept["close"]:
        head = tracking.runs.find(run).head
        assert head.status is RunStatus.FINISHED
        log = tracking.store.read(str(head.sealed), RunLog)
        assert log.series is not None
        assert list(read_sealed(tracking.store.part(log.series)).series("loss").steps) == list(
            range(number, number + 8)
        )


def survive(folder: Path, dice: random.Random, kills: int) -> str:
    kept: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for turn in range(kills):
        live_once(folder, turn * 2 * STRIDE, dice, kept)
    for what in ("open", "step", "file", "close"):
        assert len(kept[what]) >= kills, f"{what}: hardly anything was acknowledged"
    store, followed = open_store(folder), open_run_index(folder / track.INDEX)
    for index in (followed, MemoryRunIndex()):
        judge(open_tracking(store, index), kept)
    assert Engine(store).tidy() == 0
    found = fsck(store)
    assert found.problems == []
    followed.close()
    store.close()
    counts = ", ".join(f"{len(said):,} {what}" for what, said in sorted(kept.items()) if what != "ready")
    return f"{2 * kills} processes killed; acknowledged and there once: {counts}"


def test_a_few_kills(tmp_path: Path, dice: random.Random) -> None:
    sys.stdout.write(survive(tmp_path / "store", dice, 3) + "\n")


@pytest.mark.slow
def test_fifty_kills(tmp_path: Path, dice: random.Random) -> None:
    sys.stdout.write(survive(tmp_path / "store", dice, 50) + "\n")
