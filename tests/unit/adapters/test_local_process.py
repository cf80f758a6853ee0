"""What a process of its own adds to the executor: it dies alone, dies with its parent, finds modules."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trimtab.adapters.local_process import LAST_LINES, LocalProcess
from trimtab.adapters.process_holder import is_dead
from trimtab.atoms.error import ExecutorDied

MODULE = """
import os, signal, sys, time
from trimtab.adapters.process_holder import this_process
def die(): os.kill(os.getpid(), signal.SIGKILL)
def leave(): sys.stderr.write("".join(f"line {n}\\n" for n in range(100))); sys.stderr.flush(); os._exit(3)
def threads(): return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")}
def read(): return sys.stdin.read()
def who(): return this_process()
def wait(): print(this_process(), flush=True); time.sleep(600)
"""


@pytest.fixture
def executor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalProcess:
    (tmp_path / "deeds.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return LocalProcess()


def test_it_is_another_process_and_gone_afterwards(executor: LocalProcess) -> None:
    who = executor.call("deeds:who", {})
    assert int(who.split(":")[1]) != os.getpid()
    assert is_dead(who)


def test_a_crash_is_told_with_its_signal(executor: LocalProcess) -> None:
    with pytest.raises(ExecutorDied, match=r"deeds:die ended \(signal 9\)"):
        executor.call("deeds:die", {})


def test_its_last_words_are_quoted(executor: LocalProcess) -> None:
    with pytest.raises(ExecutorDied, match="exit status 3") as death:
        executor.call("deeds:leave", {})
    said = str(death.value).splitlines()[1:]
    assert [line.strip() for line in said] == [f"line {number}" for number in range(100 - LAST_LINES, 100)]


def test_threads_are_limited_where_the_environment_says_so(executor: LocalProcess) -> None:
    asked = LocalProcess(
        {**os.environ, "TRIMTAB_THREADS": "1", "POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "1"}
    )
    assert asked.call("deeds:threads", {}) == {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "2"}
    plain = {name: value for name, value in os.environ.items() if not name.endswith("_THREADS")}
    assert LocalProcess(plain).call("deeds:threads", {}) == {
        "OMP_NUM_THREADS": None,
        "POLARS_MAX_THREADS": None,
    }


def test_the_function_reads_no_input_of_ours(executor: LocalProcess) -> None:
    assert executor.call("deeds:read", {}) == ""


PARENT = """
from trimtab.adapters.local_process import LocalProcess
LocalProcess().call("deeds:wait", {}, lambda line: print(line, flush=True))
"""


def test_when_the_parent_is_killed_the_child_ends(executor: LocalProcess) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    ) as parent:
        assert parent.stdout is not None
        child = parent.stdout.readline().decode().strip()
        assert not is_dead(child)
        parent.kill()
    deadline = time.monotonic() + 10
    while not is_dead(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_dead(child)
