"""Where backups lie: a folder or a bucket, with blobs that all backups in it share."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from trimtab.adapters.local_blobs import LocalBlobs
from trimtab.adapters.shelf import BucketShelf, LocalShelf
from trimtab.atoms.error import UsageError
from trimtab.ports.blobs import Blobs
from trimtab.ports.shelf import Shelf

_MANIFESTS = "manifests"


@dataclass(frozen=True, slots=True)
class BackupPlace:
    """An open place."""

    blobs: Blobs
    manifests: Shelf
    #: How messages name it.
    shown: str
    #: Whether it is a folder of this machine, where a file can be its owner's alone.
    local: bool


def open_backup_place(url: str, *, create: bool, store: Path | None = None) -> BackupPlace:
    """Open the place of backups at `url`: a path, `file://...` or `s3://bucket/prefix`.

    Args:
        create: Whether to make a folder where there is none.
        store: Folder of the store that is backed up or restored.

    Raises:
        UsageError: It is of another scheme, holds something else, is the store itself or lies in it.
    """
    scheme = re.match(r"([a-z0-9+]+)://", url)
    if scheme and scheme[1] == "s3":
        return _in_bucket(url)
    if scheme and scheme[1] != "file":
        raise UsageError(f"{url}: a backup lies in a folder or in s3://bucket/prefix")
    folder = Path(url.removeprefix("file://")).absolute()
    if store is not None and folder.resolve().is_relative_to(store.resolve()):
        raise UsageError(f"{folder} lies in the store itself: name a folder outside, best on another disk")
    made = (folder / _MANIFESTS).is_dir()
    if not made and (not create or (folder.exists() and any(folder.iterdir()))):
        what = "holds something else than backups" if folder.exists() else "is not there"
        raise UsageError(f"{folder} {what}: name an empty folder, or one that `trimtab backup` made")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifests = LocalShelf(folder / _MANIFESTS)
    blobs = LocalBlobs(folder / "blobs")
    blobs.sweep()
    return BackupPlace(blobs=blobs, manifests=manifests, shown=str(folder), local=True)


def _in_bucket(url: str) -> BackupPlace:
    from trimtab.adapters.s3_blobs import open_s3_blobs, shown
    from trimtab.adapters.s3_blobs.bucket import Bucket
    from trimtab.adapters.s3_blobs.place import read_place

    blobs = open_s3_blobs(url)
    bucket = Bucket(read_place(url, os.environ))
    return BackupPlace(blobs=blobs, manifests=BucketShelf(bucket, _MANIFESTS), shown=shown(url), local=False)
