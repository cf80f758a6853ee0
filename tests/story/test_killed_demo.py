"""The demo is killed in the middle and goes on: the same champions, a sound store, nobody unanswered."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

#: Seconds that one start of the demo may take before the test gives it up.
PATIENCE = 600


def trimtab(*arguments: str) -> list[str]:
    """A `trimtab` command of this interpreter."""
    return [sys.executable, "-m", "trimtab", *arguments]


def champions(folder: Path) -> list[int]:
    """Version numbers in the order in which they became champion."""
    told = subprocess.run(
        trimtab("models", "--project", str(folder), "--json"), capture_output=True, text=True, check=True
    )
    return list(json.loads(told.stdout)["models"]["late_arrival"]["champions"])


def play(folder: Path, until: str) -> str:
    """Play to the end; returns what was told."""
    done = subprocess.run(
        trimtab("demo", "--folder", str(folder), "--until", until),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def play_and_kill(folder: Path, until: str, after_seconds: float) -> bool:
    """Start the demo and kill -9 its whole group; returns whether it was still alive to be killed."""
    process = subprocess.Popen(
        trimtab("demo", "--folder", str(folder), "--until", until),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + after_seconds
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)  # a real process is waited for
    alive = process.poll() is None
    if alive:
        os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return alive


def sound(folder: Path) -> dict[str, Any]:
    """What fsck says; it must find nothing."""
    told = subprocess.run(
        trimtab("fsck", "--project", str(folder), "--json"), capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    return dict(json.loads(told.stdout))


def answered(story: str) -> bool:
    """Whether the demo's account says that no request went unanswered."""
    found = re.search(r"(\d+) requests this time, (\d+) of them not answered", story)
    return found is not None and found[2] == "0"


def compare(tmp_path: Path, until: str, moments: list[float]) -> None:
    """A demo that is killed at these moments ends as one that is not."""
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    assert answered(play(calm, until))
    fired = [play_and_kill(killed, until, after) for after in moments]
    assert any(fired), "no kill found the demo alive: the moments are too late"
    assert answered(play(killed, until))
    sound(killed)
    assert champions(killed) == champions(calm)


def test_a_demo_killed_early_goes_on(tmp_path: Path) -> None:
    """Killed while the first model is built and while requests are answered."""
    compare(tmp_path, "2013-03-05", [4.0, 9.0])


@pytest.mark.slow
def test_a_whole_year_killed_five_times(tmp_path: Path) -> None:
    """The whole year, killed at five random moments; the seed is told where it fails."""
    seed = int(os.environ.get("TRIMTAB_SEED", random.randrange(10**6)))
    moments = random.Random(seed)
    try:
        compare(tmp_path, "2014-01-01", [moments.uniform(5, 60) for _ in range(5)])
    except AssertionError as error:
        error.add_note(f"TRIMTAB_SEED={seed}")
        raise
