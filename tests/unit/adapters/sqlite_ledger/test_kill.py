"""kill -9 at any moment: what was acknowledged is there, what was not is wholly there or wholly absent."""

import random
import subprocess
import sys
import time
from pathlib import Path

from trimtab.adapters.segment_streams import SegmentStreams
from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.entry import RECORD_NAMES
from trimtab.testing.example_record import artifact
from trimtab.testing.ledger_suite import chain_holds

WRITE = """
import sys, threading
from pathlib import Path
from trimtab.adapters.segment_streams import SegmentStreams
from trimtab.adapters.sqlite_ledger import SqliteLedger
from trimtab.testing.example_record import made
folder, first = Path(sys.argv[1]), int(sys.argv[2])
ledger, streams = SqliteLedger(folder / "ledger.sqlite"), SegmentStreams(folder)
lock = threading.Lock()
def write(odd):
    for number in range(first + odd, first + 100000, 2):
        ledger.append(made(number))
        with lock:
            sys.stdout.write(f"ledger {number}\\n")
            sys.stdout.flush()
        streams.append("log", [b"%d start" % number, b"%d end" % number])
        with lock:
            sys.stdout.write(f"stream {number}\\n")
            sys.stdout.flush()
threads = [threading.Thread(target=write, args=(odd,)) for odd in (0, 1)]
[thread.start() for thread in threads]
"""
KILLS = 20


def test_what_was_acknowledged_survives(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    kept: dict[str, set[int]] = {"ledger": set(), "stream": set()}
    for kill in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", WRITE, str(tmp_path), str(kill * 100_000)],
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": ":".join(sys.path)},
        ) as child:
            assert child.stdout is not None
            first = child.stdout.readline()
            time.sleep(dice.uniform(0, 0.03))  # the moment of the kill: there is nothing to wait for
            child.kill()
            lines = (first + child.stdout.read()).decode().splitlines()
        assert child.returncode == -9, "the fault did not fire"
        assert lines, f"seed {seed}, kill {kill}: nothing was acknowledged"
        for line in lines:
            what, _, number = line.partition(" ")
            kept[what].add(int(number))
    ledger, streams = SqliteLedger(tmp_path / "ledger.sqlite"), SegmentStreams(tmp_path)
    assert chain_holds(ledger)
    names = [RECORD_NAMES[type(entry.record)] for entry in ledger.entries()]
    assert names == ["action", "artifact", "closing"] * (len(names) // 3)
    found = {entry.record.id for entry in ledger.entries() if isinstance(entry.record, Artifact)}
    assert {artifact(number).id for number in kept["ledger"]} <= found, f"seed {seed}"
    logged = [record.split() for record in streams.read("log")[0]]
    for start, end in zip(logged[::2], logged[1::2], strict=True):
        assert (start[0], start[1], end[1]) == (end[0], b"start", b"end")
    assert kept["stream"] <= {int(record[0]) for record in logged}, f"seed {seed}"
    assert len(kept["ledger"]) > KILLS
    streams.close()
    ledger.close()
