"""The blobs' suite on files and on the fake."""

from pathlib import Path

import pytest

from trimtab.adapters.local_blobs import LocalBlobs
from trimtab.ports.blobs import Blobs
from trimtab.testing.blobs_suite import BlobsKeep, Damage, MakeBlobs
from trimtab.testing.memory_blobs import MemoryBlobs, flip_bit


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


class TestBlobs(BlobsKeep):
    pass
