"""A dead process is known to be dead; of anyone else it is not claimed."""

import os
import subprocess
import sys

import pytest

from trimtab.adapters.process_holder import is_dead, this_process


def test_this_process_lives_with_or_without_a_suffix() -> None:
    host, pid, start = this_process().split(":")
    assert int(pid) == os.getpid()
    assert host
    assert start
    assert not is_dead(this_process())
    assert not is_dead(f"{this_process()}:140023:tidy")


def test_a_killed_child_is_dead_even_before_its_parent_has_noticed() -> None:
    script = (
        "from trimtab.adapters.process_holder import this_process;"
        "print(this_process(), flush=True); import sys; sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as child:
        assert child.stdout is not None
        holder = child.stdout.readline().decode().strip()
        assert not is_dead(holder)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now
        assert is_dead(holder)
        assert is_dead(f"{holder}:7")


def test_a_number_that_went_to_another_process_is_dead() -> None:
    host, pid, start = this_process().split(":")
    assert is_dead(f"{host}:{pid}:{start[:-1]}{(int(start[-1]) + 1) % 10}")


@pytest.mark.parametrize("holder", ["", "somebody", "a:b:c", "memory:1:0", "elsewhere:1:1.2.3"])
def test_nothing_is_claimed_of_strangers(holder: str) -> None:
    assert not is_dead(holder)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has containers and a boot id")
def test_another_container_is_a_stranger_and_another_boot_is_dead() -> None:
    host, pid, start = this_process().split(":")
    boot, container, ticks = start.split(".")
    assert not is_dead(f"{host}:{pid}:{boot}.{container}1.{ticks}")
    assert is_dead(f"{host}:{pid}:00000000.{container}.{ticks}")
