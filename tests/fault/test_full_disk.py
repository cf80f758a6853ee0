"""A disk that is full: a clear status, reads go on, and with room again everything goes on by itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RIG = Path(__file__).parent / "rig"
#: In a name space of its own, where nobody else sees the disk and nothing is left of it.
MOUNTED = 'mount -t tmpfs -o size=12m,mode=700 tmpfs "$1" && shift && exec "$@"'


def on_small_disk(disk: Path, *command: str) -> list[str]:
    """`command` where `disk` is a disk of 12 MiB."""
    return ["unshare", "--mount", "sh", "-c", MOUNTED, "sh", str(disk), *command]


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A folder that a small disk can be mounted on."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        tried = subprocess.run(on_small_disk(folder, "true"), capture_output=True, text=True, check=False)
        said = "" if tried.returncode == 0 else tried.stderr.strip()
    except FileNotFoundError:
        said = "no unshare: apt install util-linux"
    if said:
        said = f"a small disk cannot be mounted here (root and mount name spaces are needed): {said}"
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    return folder


def test_a_disk_fills_up_and_gets_room_again(disk: Path) -> None:
    done = subprocess.run(
        on_small_disk(disk, sys.executable, str(RIG / "full_disk.py"), str(disk)),
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    sys.stdout.write(done.stdout + done.stderr)
    assert all(taken > 1 << 20 for taken in told["filled"]), "the disk was never full"
    assert set(told["said"]) == {"LedgerAppend", "BlobPut", "StreamAppend", "IngestStep", "predict"}
    assert not list(disk.iterdir()), "the disk was not the small one"
