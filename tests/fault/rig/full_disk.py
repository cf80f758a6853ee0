"""The story of a disk that fills up under a store and gets room again. Argument: a small disk of its own.

Ends with status 0 and one line of JSON where everything was as it must be.
"""

import errno
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from operation import BlobPut, IngestStep, LedgerAppend, StreamAppend, prepare
from plane import ANSWER, MODEL, ROW, release_toy

from trimtab.adapters.local_store import open_store
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.assembly.upkeep.garbage import collect_garbage
from trimtab.atoms.error import StoreError
from trimtab.engine.engine import Engine
from trimtab.engine.store import Store

#: Small records that may fit into what a file has left of its last page.
MOST_FITTING = 150


def fill(disk: Path) -> int:
    """Take all the room there is, to the last byte."""
    taken = 0
    with (disk / "filler").open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    taken += file.write(b"x" * size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    return taken


def predict(address: str, number: int) -> tuple[int, str, dict[str, Any]]:
    """Status, media type and body of one request."""
    body = json.dumps({"rows": [ROW], "request_id": f"r{number}"}).encode()
    request = urllib.request.Request(f"{address}/predict/{MODEL}", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.headers["content-type"], json.loads(reply.read())
    except urllib.error.HTTPError as error:
        return error.code, error.headers["content-type"], json.loads(error.read())


def eventually(what: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for another process."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class Story:
    """One store, the plane beside it, and what was acknowledged."""

    def __init__(self, disk: Path, store: Store, address: str) -> None:
        self._disk, self._store, self._address = disk, store, address
        tables = disk.parent
        self.operations = {
            kind.__name__: kind(store, tables) for kind in (LedgerAppend, BlobPut, StreamAppend, IngestStep)
        }
        self.kept: dict[str, list[int]] = {name: [] for name in self.operations}
        self.answered: list[int] = []
        self.said: dict[str, str] = {}
        self._number = 0

    def with_room(self) -> None:
        """Everything goes."""
        self._number += 1
        for name, operation in self.operations.items():
            operation.do(self._number)
            self.kept[name].append(self._number)
        status, _, told = predict(self._address, self._number)
        assert (status, told["predictions"]) == (200, [ANSWER]), told
        self.answered.append(self._number)

    def without(self) -> None:
        """Each is refused with a sentence that names the disk, once its file's last page is full; all is read."""
        for name in self.operations:
            told = self._until_refused(name)
            self.said[name] = told
            assert str(self._disk) in told
            assert "full" in told or "No space left" in told
        status, media_type, problem = self._until_unanswered()
        assert status in (503, 507), problem
        assert media_type == "application/problem+json"
        assert "Traceback" not in json.dumps(problem)
        self.said["predict"] = f"{status} {problem['detail']}"
        with urllib.request.urlopen(f"{self._address}/v2/health/live", timeout=30) as reply:
            assert reply.status == 200
        self.read()

    def _until_refused(self, name: str) -> str:
        for _ in range(MOST_FITTING):
            self._number += 1
            try:
                self.operations[name].do(self._number)
            except StoreError as refused:
                return str(refused)
            self.kept[name].append(self._number)
        raise AssertionError(f"{name} is acknowledged on a full disk, again and again")

    def _until_unanswered(self) -> tuple[int, str, dict[str, Any]]:
        for _ in range(MOST_FITTING):
            self._number += 1
            told = predict(self._address, self._number)
            if told[0] != 200:
                return told
            self.answered.append(self._number)
        raise AssertionError("requests are answered on a full disk, again and again")

    def read(self) -> None:
        """All that was acknowledged is there once."""
        for name, numbers in self.kept.items():
            for number in numbers:
                assert self.operations[name].times(number) == 1, f"{name} {number}"
        records = self._store.streams.read(f"predictions/{MODEL}")[0]
        ids = [json.loads(record)["id"] for record in records]
        assert sorted(ids) == sorted(set(ids))
        assert {f"r{number}" for number in self.answered} <= set(ids)


def end(store: Store) -> None:
    """Nothing is wrong with the store once garbage is collected."""
    Engine(store).tidy()
    eventually(
        lambda: not (collect_garbage(store, by="person:test", idle=timedelta(0)) and fsck(store).orphans)
    )
    found = fsck(store, strict=True)
    assert found.sound, found.problems


def main() -> None:
    """Play it twice over: with room, without, with room."""
    disk = Path(sys.argv[1])
    store = open_store(disk / "store")
    prepare(store, disk.parent, 3 * MOST_FITTING)
    release_toy(store)
    ready = disk.parent / "address"
    command = [sys.executable, Path(__file__).with_name("plane.py"), disk / "store", ready]
    taken = []
    with subprocess.Popen(command, env=os.environ) as plane:
        try:
            eventually(ready.exists)
            address = ready.read_text().strip()
            eventually(lambda: predict(address, 0)[0] == 200)
            story = Story(disk, store, address)
            story.with_room()
            for _ in range(2):
                taken.append(fill(disk))
                story.without()
                (disk / "filler").unlink()
                for _ in range(3):
                    story.with_room()
            story.read()
        finally:
            plane.terminate()
    assert plane.returncode == 0
    end(store)
    store.close()
    told = {"filled": taken, "said": story.said, "answered": len(story.answered)}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
