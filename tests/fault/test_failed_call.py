"""Every write and flush of an operation fails once: the store is valid, and nothing acknowledged is lost."""

import json
import os
import random
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from mirror import mirror
from operation import OPERATIONS, prepare
from tap import FLUSHES, WRITES, Fault, Tap, calls_on

from trimtab.adapters.local_store import open_store
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.engine.engine import Engine

RIG = Path(__file__).parent / "rig"
#: Done before the fault, in the middle of it, and after it.
BEFORE, DURING, AFTER = 1, 2, 3


@pytest.fixture(scope="module")
def station(tracing: None) -> Iterator[socket.socket]:
    """Where workers are ordered from."""
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    program = subprocess.Popen(
        [sys.executable, str(RIG / "station.py"), str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
    )
    theirs.close()
    yield mine
    mine.close()
    program.wait(timeout=20)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store and tables; cases get copies."""
    folder = tmp_path_factory.mktemp("prepared")
    store = open_store(folder / "store")
    prepare(store, folder)
    store.close()
    return folder


class Worker:
    """A process with an open store that does what it is told."""

    def __init__(self, station: socket.socket, folder: Path, operation: str) -> None:
        self._line, theirs = socket.socketpair()
        self._line.settimeout(20)
        order = json.dumps({"folder": str(folder), "operation": operation}).encode()
        socket.send_fds(station, [order], [theirs.fileno()])
        theirs.close()
        self._words = self._line.makefile("r")
        told = json.loads(self._words.readline())
        self.pid: int = told["pid"]
        self.threads: dict[str, int] = told["threads"]

    def do(self, number: int) -> str:
        """`done`, `refused ...`, `raised ...`, or nothing where the worker died."""
        try:
            self._line.sendall(b"%d\n" % number)
            return self._words.readline().strip()
        except (BrokenPipeError, ConnectionResetError):
            return ""

    def end(self) -> None:
        """Let it go without closing its store; returns when it is gone."""
        with suppress(OSError):  # it may have been killed
            self._line.shutdown(socket.SHUT_WR)
            self._words.read()
        self._words.close()
        self._line.close()


class Bench:
    """Runs the cases of one operation."""

    def __init__(self, station: socket.socket, prepared: Path, folder: Path, operation: str) -> None:
        self._station, self._prepared, self._folder = station, prepared, folder
        self._operation = operation

    def faults(self, modes: tuple[str, ...], errors: tuple[str, ...] = ("EIO",)) -> list[Fault]:
        """Every call of the operation in every mode, counted on a run where nothing fails."""
        folder = self._copy()
        worker = Worker(self._station, folder, self._operation)
        self._before(worker)
        tap = Tap(folder / "calls", [worker.pid])
        assert worker.do(DURING) == f"done {DURING}"
        tap.close()
        worker.end()
        calls = calls_on(folder / "store", folder / "calls", worker.threads)
        assert any(call in WRITES for _, call, _ in calls), f"no write was seen: {calls}"
        assert any(call in FLUSHES for _, call, _ in calls), f"no flush was seen: {calls}"
        return [
            Fault(thread, call, nth, mode, error)
            for thread, call, nth in calls
            for mode in modes
            for error in (errors if mode != "kill" else ("EIO",))
        ]

    def play(self, fault: Fault) -> None:
        """One case, from a fresh copy of the store to the operation done again."""
        folder = self._copy()
        worker = Worker(self._station, folder, self._operation)
        told = self._before(worker)
        tap = Tap(folder / "calls", [worker.threads[fault.thread]], "-e", f"inject={fault.words}")
        told[DURING] = worker.do(DURING)
        seen = tap.close()
        if fault.mode == "kill":
            assert told[DURING] == "", f"the fault did not fire: {told}, {seen}"
            assert len(re.findall(rf"\b{fault.call}\(", seen)) == fault.nth, (
                f"it died of something else: {seen}"
            )
        else:
            assert "(INJECTED)" in seen, f"the fault did not fire: {seen}"
            told[AFTER] = worker.do(AFTER)
        worker.end()
        self._judge_words(fault, told)
        self._judge_store(folder, told)

    def _before(self, worker: Worker) -> dict[int, str]:
        """Do it once before the fault, where the operation is not one that happens once."""
        if OPERATIONS[self._operation].is_first:
            return {}
        assert worker.do(BEFORE) == f"done {BEFORE}"
        return {BEFORE: f"done {BEFORE}"}

    def _judge_words(self, fault: Fault, told: dict[int, str]) -> None:
        for number, word in told.items():
            assert not word.startswith("raised"), (
                f"operation {number} did not end as an error of ours: {word}"
            )
        if fault.mode == "kill":
            return
        if fault.call in FLUSHES:
            durable = OPERATIONS[self._operation].is_durable_before
            assert durable or told[DURING].startswith("refused"), f"a failed flush was acknowledged: {told}"
            assert told[AFTER].startswith("refused"), f"a process went on after a failed flush: {told}"
        elif told[DURING].startswith("refused") and fault.error == "ENOSPC":
            assert told[AFTER] == f"done {AFTER}", f"it did not go on when there was room again: {told}"

    def _judge_store(self, folder: Path, told: dict[int, str]) -> None:
        store = open_store(folder / "store")
        try:
            operation = OPERATIONS[self._operation](store, folder)
            Engine(store).tidy()
            found = fsck(store)
            assert found.sound, found.problems
            for number, word in told.items():
                times = operation.times(number)
                assert times in ((1,) if word.startswith("done") else (0, 1)), (
                    f"{number}: {times} times, {word}"
                )
            for number in told:
                operation.do(number)
                assert operation.times(number) == 1, f"{number} done again is not there once"
            assert fsck(store).sound
        finally:
            store.close()

    def _copy(self) -> Path:
        return mirror(self._prepared, self._folder / "case")


@pytest.fixture
def bench(request: pytest.FixtureRequest, station: socket.socket, prepared: Path, tmp_path: Path) -> Bench:
    """A bench for the operation that the test names."""
    return Bench(station, prepared, tmp_path, request.param)


def play_all(bench: Bench, faults: list[Fault]) -> None:
    """Play every case; each that does not end well is named."""
    broken = []
    for fault in faults:
        try:
            bench.play(fault)
        except (AssertionError, TimeoutError) as error:
            broken.append(f"{fault}: {type(error).__name__} {error}")
    sys.stdout.write(f"{len(faults)} faults, {len(broken)} broken\n")
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("bench", ["ledger", "blob", "large-blob", "stream", "first-stream"], indirect=True)
def test_every_call_fails_in_one_way(bench: Bench) -> None:
    """Every write and flush of an append, a put and a stream; the ways take turns."""
    modes = ("once", "kill", "for good")
    play_all(bench, [fault for n, fault in enumerate(bench.faults(modes)) if n // 3 % 3 == n % 3])


@pytest.mark.parametrize("bench", ["checkpoint", "ingest", "release"], indirect=True)
def test_some_calls_of_a_step_fail(bench: Bench, dice: random.Random) -> None:
    """Eight cases of each, spread evenly from a place that chance gives."""
    faults = bench.faults(("once", "for good", "kill"))
    stride = len(faults) // 8
    chosen = faults[dice.randrange(stride) :: stride][:8]
    assert len(chosen) == 8
    play_all(bench, chosen)


@pytest.mark.slow
@pytest.mark.parametrize("bench", OPERATIONS, indirect=True)
def test_every_call_fails_in_every_way(bench: Bench) -> None:
    """Every write and flush of every operation: once, for good, kill -9; with an error of the disk and a full disk."""
    play_all(bench, bench.faults(("once", "for good", "kill"), ("EIO", "ENOSPC")))
