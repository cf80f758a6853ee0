"""The shelf's suite on a folder, on S3, and on the fake."""

import os
from pathlib import Path

import pytest

from trimtab.adapters.s3_blobs.bucket import Bucket
from trimtab.adapters.s3_blobs.place import read_place
from trimtab.adapters.shelf import BucketShelf, LocalShelf
from trimtab.testing.memory_shelf import MemoryShelf
from trimtab.testing.shelf_suite import MakeShelf, ShelfKeeps


@pytest.fixture(params=["folder", "s3", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> MakeShelf:
    if request.param == "s3":
        url = request.getfixturevalue("s3_url")
        return lambda: BucketShelf(Bucket(read_place(url, os.environ)), "manifests")
    if request.param == "folder":
        return lambda: LocalShelf(tmp_path / "manifests")
    shelf = MemoryShelf()
    return lambda: shelf


class TestShelf(ShelfKeeps):
    pass


def test_a_name_is_no_path(tmp_path: Path) -> None:
    shelf = LocalShelf(tmp_path)
    for name in ("../a", "a/b", ".a", ""):
        with pytest.raises(ValueError, match="cannot name"):
            shelf.read(name)
