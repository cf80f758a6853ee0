"""kill -9 under load, again and again on one store: nothing acknowledged is lost, nothing is there twice."""

import random
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import load
import msgspec
import pytest

from trimtab.adapters.local_store import open_store
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.assembly.upkeep.garbage import collect_garbage
from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.content.encoding import Encoding
from trimtab.atoms.content.snapshot import Snapshot
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.metric_point import decode_points
from trimtab.atoms.run_event import STREAM, decode_event
from trimtab.engine.engine import Engine
from trimtab.engine.store import Store
from trimtab.testing.workbench import Workbench

RIG = Path(__file__).parent / "rig"
KINDS = ("points", "answer", "upload", "release")
#: Numbers of one life of the worker.
STRIDE = 1_000_000
READY_SECONDS = 3.0


class Lives:
    """A worker that is killed and started again, and what it acknowledged over all of its lives."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self._folder, self._dice = folder, dice
        self._left = {"upload": 1, "release": 1}
        self.kept: dict[str, list[int]] = {kind: [] for kind in KINDS}
        self.kills = 0
        #: Seconds to open and tidy; seconds from the start of the process to that.
        self.opening: list[float] = []
        self.starting: list[float] = []
        self.abandoned = 0

    def live_once(self) -> None:
        """Start, let it work for a moment, kill -9, take down what it said."""
        self.kills += 1
        again = [str(self._left[what]) for what in ("upload", "release")]
        command = [sys.executable, RIG / "load.py", self._folder, str(self.kills * STRIDE), *again]
        began = time.monotonic()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, env={"PYTHONPATH": ":".join(sys.path)}
        ) as worker:
            assert worker.stdout is not None
            word, seconds, tidied = worker.stdout.readline().split()
            self.starting.append(time.monotonic() - began)
            assert word == b"ready"
            time.sleep(self._dice.uniform(0.0, 0.25))  # the moment of the kill: there is nothing to wait for
            assert worker.poll() is None, "the kill found nobody alive"
            worker.kill()
            lines = worker.stdout.read().decode().splitlines(keepends=True)
        assert worker.returncode == -9, "the fault did not fire"
        self.opening.append(float(seconds))
        self.abandoned += int(tidied)
        for line in lines:
            if line.endswith("\n"):
                what, number = line.split()
                self.kept[what].append(int(number))
        for what in self._left:
            mine = [number for number in self.kept[what] if number >= self.kills * STRIDE]
            if self._left[what] in self.kept[what]:
                self._left[what] = max(mine, default=self.kills * STRIDE - 1) + 1


def begin(folder: Path) -> None:
    """A store with two bundles and a plan."""
    store = open_store(folder)
    bench = Workbench(store)
    bundles = [bench.bundle("toy", f"{version}" * 64, Encoding(columns=())) for version in (1, 2)]
    bench.keep(TrafficPlan(model="toy", champion=bundles[0], champion_version=1))
    store.close()


def judge(store: Store, kept: dict[str, list[int]]) -> None:
    """Everything acknowledged is there, and everything that is there is there once and whole."""
    events = map(decode_event, store.streams.read(STREAM)[0])
    steps = Counter(step for event in events for step in decode_points(event.points).steps)
    assert max(steps.values()) == 1
    assert {step for number in kept["points"] for step in range(number, number + 5)} <= set(steps)
    records = store.streams.read(load.PREDICTIONS)[0]
    answers = Counter(msgspec.json.decode(record)["id"] for record in records)
    assert max(answers.values()) == 1
    assert set(kept["answer"]) <= set(answers)
    done = Counter[str]()
    made: dict[str, str] = {}
    actions: dict[str, Action] = {}
    for entry in store.ledger.entries():
        record = entry.record
        if isinstance(record, Action):
            actions[record.id] = record
        elif isinstance(record, Closing) and record.outcome is Outcome.DONE:
            done[actions[record.action].key] += 1
            made[actions[record.action].key] = next(iter(record.made), "")
    done.pop("", None)
    assert max(done.values()) == 1
    plan = load.of_kind(store, "traffic-plan")[0]
    for number in kept["upload"]:
        key = load.upload_step(number).key()
        assert done[key] == 1, f"upload {number} was acknowledged and is not there"
        assert store.part(store.read(made[key], Snapshot).spans[0].table) == load.uploaded(number)
    for number in kept["release"]:
        step = load.release_step(number, "promote" if number % 2 else "roll-back", (plan,))
        assert done[step.key()] == 1, f"release {number} was acknowledged and is not there"


def survive(folder: Path, dice: random.Random, kills: int) -> str:
    """The whole story; returns its figures in a sentence."""
    begin(folder)
    lives = Lives(folder, dice)
    for _ in range(kills):
        lives.live_once()
    assert max(lives.opening) < READY_SECONDS
    assert max(lives.starting) < READY_SECONDS
    for kind in KINDS:
        assert len(lives.kept[kind]) >= kills // 2, f"{kind}: hardly anything was acknowledged"
    began = time.monotonic()
    store = open_store(folder)
    lives.abandoned += Engine(store).tidy()
    assert time.monotonic() - began < READY_SECONDS
    # What a killed upload put and never recorded: allowed, told, and taken away by `trimtab gc`.
    orphans = len(fsck(store).orphans)
    deadline = time.monotonic() + 20
    while fsck(store).orphans and time.monotonic() < deadline:
        collect_garbage(store, by="person:test", idle=timedelta(0))
    found = fsck(store, strict=True)
    assert found.sound, found.problems
    assert not found.open_actions
    judge(store, lives.kept)
    store.close()
    counts = ", ".join(f"{len(lives.kept[kind]):,} {kind}" for kind in KINDS)
    return (
        f"{lives.kills} kills; acknowledged and there once: {counts}; {lives.abandoned} steps abandoned, {orphans} "
        f"orphans collected; ready in {max(lives.opening):.2f} s at most to open and tidy, "
        f"{max(lives.starting):.2f} s with the start of the process; {found.entries:,} entries, {found.blobs:,} blobs"
    )


def test_a_few_kills_under_load(tmp_path: Path, dice: random.Random) -> None:
    sys.stdout.write(survive(tmp_path / "store", dice, 12) + "\n")


@pytest.mark.slow
def test_two_hundred_kills_under_load(tmp_path: Path, dice: random.Random) -> None:
    sys.stdout.write(survive(tmp_path / "store", dice, 200) + "\n")
