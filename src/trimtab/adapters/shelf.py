"""The shelf port on a folder and on a bucket."""

import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from trimtab.adapters.durable_file import flush_folder, write_new

if TYPE_CHECKING:
    from trimtab.adapters.s3_blobs.bucket import Bucket

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


class LocalShelf:
    """A folder of files; a draft begins with a point and is linked to its name when it is durable."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, made with its parents where it is not there (mode 0700)."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    def create(self, name: str, content: bytes) -> bool:
        """See the port."""
        draft = self._folder / f".{name}.{secrets.token_hex(8)}"
        write_new(draft, content)
        try:
            os.link(draft, self._folder / _checked(name))
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        flush_folder(self._folder)
        return True

    def read(self, name: str) -> bytes:
        """See the port."""
        try:
            return (self._folder / _checked(name)).read_bytes()
        except FileNotFoundError:
            raise KeyError(name) from None

    def names(self) -> list[str]:
        """See the port."""
        return sorted(path.name for path in self._folder.iterdir() if _NAME.fullmatch(path.name))


class BucketShelf:
    """Objects under one prefix of a bucket whose server keeps create-only puts."""

    def __init__(self, bucket: "Bucket", folder: str) -> None:
        self._bucket = bucket
        self._folder = folder

    def create(self, name: str, content: bytes) -> bool:
        """See the port."""
        return self._bucket.create(f"{self._folder}/{_checked(name)}", content)

    def read(self, name: str) -> bytes:
        """See the port."""
        content = self._bucket.read(f"{self._folder}/{_checked(name)}")
        if content is None:
            raise KeyError(name)
        return content

    def names(self) -> list[str]:
        """See the port."""
        return sorted(found.name.rpartition("/")[2] for found in self._bucket.listed(self._folder))


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a thing on a shelf")
    return name
