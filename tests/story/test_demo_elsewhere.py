"""The demo with its ledger in PostgreSQL and its blobs on S3: the same champions, though the database dies under it."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from parts.postgres import PostgresServer
from parts.s3 import CREDENTIALS, S3Server

#: Seconds that one play may take before the test gives it up.
PATIENCE = 1200


class Kills(NamedTuple):
    """How often the database is killed, and the seconds between two kills."""

    count: int
    every_s: tuple[float, float]


def trimtab(store: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """A command over the store; its URLs go through the environment, as a password is among them."""
    return subprocess.run(
        [sys.executable, "-m", "trimtab", *arguments],
        env={**os.environ, **CREDENTIALS, "TRIMTAB_STORE": store},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        **options,
    )


def play(folder: Path, store: str, until: str, postgres: PostgresServer, kills: Kills, seed: int) -> str:
    """Play the demo while the database is killed and started again; returns what the demo told."""
    process = subprocess.Popen(
        [sys.executable, "-m", "trimtab", "demo", "--folder", str(folder), "--until", until],
        env={**os.environ, **CREDENTIALS, "TRIMTAB_STORE": store},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    dice = random.Random(seed)
    killed = 0
    try:
        while process.poll() is None and killed < kills.count:
            time.sleep(dice.uniform(*kills.every_s))  # the moment of the kill: there is nothing to wait for
            if process.poll() is None:
                postgres.kill()
                time.sleep(dice.uniform(0, 1))
                postgres.start()
                killed += 1
        told = process.communicate(timeout=PATIENCE)[0]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, told
    assert killed == kills.count, f"the demo ended after {killed} of {kills.count} kills"
    return told


def champions(folder: Path, store: str) -> list[int]:
    """Version numbers in the order in which they became champion."""
    told = trimtab(store, "models", "--project", str(folder), "--json")
    assert told.returncode == 0, told.stderr
    return list(json.loads(told.stdout)["models"]["late_arrival"]["champions"])


def compare(tmp_path: Path, postgres: PostgresServer, s3: S3Server, until: str, kills: Kills) -> None:
    """A demo elsewhere, with its database killed, ends as one in a folder; nothing is lost or doubled."""
    seed = int(os.environ.get("TRIMTAB_SEED", random.randrange(10**6)))
    near, far = tmp_path / "near", tmp_path / "far"
    store = f"{far / '.trimtab'} {postgres.url} {s3.url()}"
    told = play(far, store, until, postgres, kills, seed)
    assert ", 0 of them not answered" in told, f"TRIMTAB_SEED={seed}\n{told}"
    sound = trimtab(store, "fsck", "--strict", "--project", str(far), "--json")
    assert sound.returncode == 0, sound.stdout + sound.stderr
    assert not list((far / ".trimtab").glob("ledger*")), "the ledger lies in the folder"
    assert not (far / ".trimtab" / "blobs").exists(), "the blobs lie in the folder"
    assert any((far / ".trimtab" / "copies").rglob("?" * 64)), "no blob has a copy here"
    calm = trimtab(str(near / ".trimtab"), "demo", "--folder", str(near), "--until", until)
    assert calm.returncode == 0, calm.stdout + calm.stderr
    assert champions(far, store) == champions(near, str(near / ".trimtab"))


def test_days_of_march(tmp_path: Path, own_postgres: PostgresServer, s3_server: S3Server) -> None:
    """The first model and some days, with two kills."""
    compare(tmp_path, own_postgres, s3_server, "2013-03-05", Kills(2, (2.0, 6.0)))


@pytest.mark.slow
def test_a_whole_year(tmp_path: Path, own_postgres: PostgresServer, s3_server: S3Server) -> None:
    """The whole year, with ten kills."""
    compare(tmp_path, own_postgres, s3_server, "2014-01-01", Kills(10, (8.0, 22.0)))
