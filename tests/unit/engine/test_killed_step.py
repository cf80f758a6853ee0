"""Steps in processes of their own: killed in the middle, and two at once."""

import os
import subprocess
import sys
import time
from pathlib import Path

from trimtab.adapters.local_store import open_store
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.atoms.action import Closing, Outcome
from trimtab.engine.engine import Engine
from trimtab.engine.step import Step
from trimtab.engine.work import Work
from trimtab.loop.train import CARD

RUN = """
import sys, time
from pathlib import Path
from trimtab.adapters.local_store import open_store
from trimtab.atoms.content.run_log import RunLog
from trimtab.engine.engine import Engine
from trimtab.engine.step import Step
from trimtab.loop.train import CARD
folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
def work(work):
    work.keep(RunLog(model="late", parameters={}, tags={}))
    with (folder / "ran").open("a") as file:
        file.write("x")
    print("in the middle", flush=True)
    time.sleep(seconds)
store = open_store(folder / "store")
print("ready", flush=True)
sys.stdin.readline()
done = Engine(store).run(Step(card=CARD, kind="train", subject="late", by="person:ada"), work)
print(done.action, done.remembered, flush=True)
store.close()
"""


def start(folder: Path, seconds: float) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def go(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def test_a_successor_cleans_up_after_a_killed_step_and_does_it_again(tmp_path: Path) -> None:
    with start(tmp_path, 600) as child:
        go(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "in the middle\n"
        child.kill()
    assert child.returncode == -9
    began = time.monotonic()
    store = open_store(tmp_path / "store")
    engine = Engine(store)
    (left,) = engine.memo.open_actions()
    assert fsck(store).open_actions == [left.id]
    assert engine.tidy() == 1
    ends = [entry.record for entry in store.ledger.entries() if isinstance(entry.record, Closing)]
    assert [(end.action, end.outcome, end.made) for end in ends] == [(left.id, Outcome.ABANDONED, ())]

    def again(work: Work) -> None:
        work.note = "again"

    done = engine.run(Step(card=CARD, kind="train", subject="late", by="person:ada"), again)
    assert not done.remembered
    assert time.monotonic() - began < 5, "the successor waited for the lease of a dead process"
    found = fsck(store)
    assert found.sound
    assert found.open_actions == []
    store.close()


def test_two_processes_that_run_the_same_step_do_it_once(tmp_path: Path) -> None:
    with start(tmp_path, 0.2) as one, start(tmp_path, 0.2) as two:
        go(one)
        go(two)
        said = [child.communicate()[0].splitlines()[-1].split() for child in (one, two)]
    assert (tmp_path / "ran").read_text() == "x"
    assert {action for action, _ in said} == {said[0][0]}
    assert sorted(remembered for _, remembered in said) == ["False", "True"]
