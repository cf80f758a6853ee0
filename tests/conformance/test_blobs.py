"""The blobs' suite on files and on the fake."""

import os
import time
from pathlib import Path

import pytest

from trimtab.adapters.local_blobs import LocalBlobs
from trimtab.ports.blobs import Blobs
from trimtab.testing.blobs_suite import Age, BlobsDiscard, BlobsKeep, Damage, MakeBlobs
from trimtab.testing.memory_blobs import MemoryBlobs, flip_bit, set_back


@pytest.fixture(params=["local", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> MakeBlobs:
    memory = MemoryBlobs()
    return (lambda: LocalBlobs(tmp_path)) if request.param == "local" else (lambda: memory)


@pytest.fixture
def damage(tmp_path: Path) -> Damage:
    def change(blobs: Blobs, key: str) -> None:
        if isinstance(blobs, MemoryBlobs):
            flip_bit(blobs, key)
            return
        path = tmp_path / key[:2] / key
        content = path.read_bytes()
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])

    return change


@pytest.fixture
def age(tmp_path: Path) -> Age:
    def change(blobs: Blobs, key: str, seconds: float) -> None:
        if isinstance(blobs, MemoryBlobs):
            set_back(blobs, key, seconds)
            return
        moment = time.time() - seconds
        os.utime(tmp_path / key[:2] / key, (moment, moment))

    return change


class TestKeep(BlobsKeep):
    pass


class TestDiscard(BlobsDiscard):
    pass
