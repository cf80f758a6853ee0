"""Several processes take in at once, and some are killed while they do: the index is always at one of its positions."""

import os
import subprocess
import sys
import time
from pathlib import Path

from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.ports.run_index import Position
from trimtab.testing.run_index_suite import head, take

#: Takes in so many batches; each is one parameter named after the entry, and as many points.
TAKER = """
import sys
from pathlib import Path
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.atoms.run_event import RunEvent
from trimtab.ports.run_index import Position
from trimtab.testing.run_index_suite import record

index = open_run_index(Path(sys.argv[1]))
print("open", flush=True)
taken = 0
while taken < int(sys.argv[2]):
    after = index.position()
    entry = after.entry + 1
    points = record(*(("loss", entry, float(place), place) for place in range(50)))
    event = RunEvent(owner="r", parameters={str(entry): "1"}, points=points)
    taken += index.take([event], after=after, upto=Position(entry=entry, cursor=after.cursor))
index.close()
"""


def taker(path: Path, batches: int) -> "subprocess.Popen[str]":
    """A process that takes in so many batches."""
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    command = [sys.executable, "-c", TAKER, str(path), str(batches)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def assert_whole(path: Path) -> int:
    """All that the position says is there, and nothing else; the number of batches."""
    index = open_run_index(path)
    run, batches = index.runs.find("r"), index.position().entry - 1
    assert run is not None
    assert set(run.parameters) == {str(entry) for entry in range(2, batches + 2)}
    points = index.runs.points("r", "loss")
    assert len(points) == 50 * batches
    if batches:
        assert run.metrics["loss"].step == max(points.steps) == batches + 1
    index.close()
    return batches


def begun(path: Path) -> Path:
    index = open_run_index(path)
    take(index, head("r"))
    assert index.position() == Position(entry=1)
    index.close()
    return path


def test_processes_that_take_at_once(tmp_path: Path) -> None:
    path = begun(tmp_path / "runs.sqlite")
    processes = [taker(path, 40) for _ in range(3)]
    for process in processes:
        _, said = process.communicate(timeout=120)
        assert (process.returncode, said) == (0, "")
    assert assert_whole(path) == 120


def test_a_killed_process_leaves_a_whole_index(tmp_path: Path) -> None:
    path = begun(tmp_path / "runs.sqlite")
    before = 0
    for round in range(5):
        process = taker(path, 1_000_000)
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        deadline = time.monotonic() + 60
        watching = open_run_index(path)
        while watching.position().entry < before + 3 + round and time.monotonic() < deadline:
            time.sleep(0.003)
        process.kill()
        process.communicate(timeout=60)
        watching.close()
        after = assert_whole(path)
        assert after > before
        before = after
