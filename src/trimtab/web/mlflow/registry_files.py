"""Files of registered versions, as they were when they were registered, among the files that MLflow's clients read."""

from typing import NamedTuple

from trimtab.atoms.error import NotThere
from trimtab.atoms.run import LoggedFile
from trimtab.tracking.tracking import Tracking
from trimtab.web.mlflow.registry_answer import REGISTRY


class VersionFiles(NamedTuple):
    """Files below a folder of a version."""

    files: list[LoggedFile]
    #: The folder, or the path of a file; empty: all of the version's.
    below: str


def version_files(tracking: Tracking, path: str) -> VersionFiles | None:
    """The files that `registry/FILES/...` means; None where the path is of a run's or a logged model's.

    Raises:
        NotThere: No version has these files.
    """
    root, _, rest = path.strip("/").partition("/")
    if root != REGISTRY:
        return None
    kept, _, below = rest.partition("/")
    every = tracking.registry.versions.files(kept)
    inside = [file for file in every if not below or file.path == below or file.path.startswith(f"{below}/")]
    return VersionFiles(inside, below)


def version_file(tracking: Tracking, path: str) -> LoggedFile | None:
    """The file at `registry/FILES/...`; None where the path is of a run's or a logged model's; NotThere."""
    found = version_files(tracking, path)
    if found is None:
        return None
    for file in found.files:
        if file.path == found.below:
            return file
    raise NotThere(f"no file is at {path[:200]!r}")
