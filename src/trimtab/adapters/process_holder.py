"""Who a process is, so that another can tell that it is dead: `host:pid:start`."""

import functools
import os
import platform
import re
import subprocess
from pathlib import Path


def this_process() -> str:
    """The holder name of this process: `host:pid:start`; whoever uses it may add `:suffix`."""
    return _holder_of(os.getpid())


def is_dead(holder: str) -> bool:
    """Whether `holder` is certainly a process of this host that has ended.

    False where it cannot be known: another host, another container, or text of another form.
    """
    parts = holder.split(":")
    if len(parts) < 3 or parts[0] != _host() or not parts[1].isdigit():
        return False
    born = parts[2]
    if Path("/proc/self/stat").exists():
        world, theirs = _linux_world(), born.split(".")
        if len(theirs) != 3:
            return False
        if theirs[0] != world[0]:
            return True  # the machine has started again since
        if theirs[1] != world[1]:
            return False  # another container counts its own process numbers
    return _start_of(int(parts[1])) != born


@functools.lru_cache(maxsize=4)
def _holder_of(pid: int) -> str:
    return f"{_host()}:{pid}:{_start_of(pid)}"


@functools.cache
def _host() -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", platform.node()) or "localhost"


@functools.cache
def _linux_world() -> tuple[str, str]:
    """What distinguishes this boot, and this container on it."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    return boot, re.sub(r"\D", "", os.readlink("/proc/self/ns/pid"))


def _start_of(pid: int) -> str | None:
    """When the live process with this number started, as no later one did; None for none."""
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        fields = stat[stat.rindex(")") + 2 :].split()  # the name in brackets may hold anything
        return None if fields[0] in "ZX" else ".".join((*_linux_world(), fields[19]))
    answer = subprocess.run(
        ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
        check=False,
    )
    state, _, start = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else re.sub(r"\W+", "-", start.strip())
