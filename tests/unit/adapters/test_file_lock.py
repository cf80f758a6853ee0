"""The lock that one process holds, and that its death frees."""

import subprocess
import sys
from pathlib import Path

from trimtab.adapters.file_lock import hold, holder_of
from trimtab.adapters.process_holder import this_process

HOLD = """
import sys, time
from pathlib import Path
from trimtab.adapters.file_lock import hold
with hold(Path(sys.argv[1])) as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def test_one_holds_and_the_other_is_told_who(tmp_path: Path) -> None:
    lock = tmp_path / "run" / "lock"
    assert holder_of(lock) is None
    with hold(lock) as mine:
        assert mine
        assert holder_of(lock) == this_process()
        with hold(lock) as second:
            assert not second
        assert holder_of(lock) == this_process()
    assert holder_of(lock) is None


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"True\n"
        assert f":{child.pid}:" in (holder_of(lock) or "")
        with hold(lock) as mine:
            assert not mine
        child.kill()
        child.wait()
        with hold(lock) as mine:
            assert mine
