"""The blobs' suite on files, on S3, on blobs with copies of them, and on the fake."""

import os
import time
from pathlib import Path

import pytest

from parts.s3 import S3Server
from trimtab.adapters.cached_blobs import CachedBlobs
from trimtab.adapters.local_blobs import LocalBlobs
from trimtab.adapters.s3_blobs import open_s3_blobs
from trimtab.ports.blobs import Blobs
from trimtab.testing.blobs_suite import Age, BlobsDiscard, BlobsFlow, BlobsKeep, Damage, MakeBlobs
from trimtab.testing.memory_blobs import MemoryBlobs, flip_bit, set_back


class OnFiles:
    """Blobs in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self) -> Blobs:
        return LocalBlobs(self._folder)

    def damage(self, blobs: Blobs, key: str) -> None:
        path = self._folder / key[:2] / key
        content = path.read_bytes()
        path.write_bytes(bytes([content[0] ^ 1]) + content[1:])

    def age(self, blobs: Blobs, key: str, seconds: float) -> None:
        moment = time.time() - seconds
        os.utime(self._folder / key[:2] / key, (moment, moment))


class OnS3:
    """Blobs on a real server."""

    def __init__(self, server: S3Server) -> None:
        self._server, self._url = server, server.url()
        self._prefix = self._url.partition("?")[0].rpartition("/")[2]

    def make(self) -> Blobs:
        return open_s3_blobs(self._url)

    def damage(self, blobs: Blobs, key: str) -> None:
        self._server.damage(f"{self._prefix}/blobs/{key[:2]}/{key}")

    def age(self, blobs: Blobs, key: str, seconds: float) -> None:
        self._server.age(f"{self._prefix}/blobs/{key[:2]}/{key}", seconds)


class WithCopies(OnFiles):
    """Blobs in a folder with copies in another."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "outer")
        self._copies = folder / "copies"

    def make(self) -> Blobs:
        return CachedBlobs(super().make(), self._copies)

    def damage(self, blobs: Blobs, key: str) -> None:
        super().damage(blobs, key)
        (self._copies / key[:2] / key).write_bytes(b"other bytes")


class InMemory:
    """The fake."""

    def __init__(self) -> None:
        self._blobs = MemoryBlobs()

    def make(self) -> Blobs:
        return self._blobs

    def damage(self, blobs: Blobs, key: str) -> None:
        flip_bit(self._blobs, key)

    def age(self, blobs: Blobs, key: str, seconds: float) -> None:
        set_back(self._blobs, key, seconds)


@pytest.fixture(params=["local", "copies", "memory", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> OnFiles | OnS3 | InMemory:
    if request.param == "s3":
        return OnS3(request.getfixturevalue("s3_server"))
    if request.param == "copies":
        return WithCopies(tmp_path)
    return OnFiles(tmp_path) if request.param == "local" else InMemory()


@pytest.fixture
def make(place: OnFiles | OnS3 | InMemory) -> MakeBlobs:
    return place.make


@pytest.fixture
def damage(place: OnFiles | OnS3 | InMemory) -> Damage:
    return place.damage


@pytest.fixture
def age(place: OnFiles | OnS3 | InMemory) -> Age:
    return place.age


class TestKeep(BlobsKeep):
    pass


class TestFlow(BlobsFlow):
    pass


class TestDiscard(BlobsDiscard):
    pass
