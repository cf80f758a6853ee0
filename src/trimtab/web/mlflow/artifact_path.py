"""Where files are in MLflow's protocol: below an experiment, in the folder of a run or of a logged model."""

from typing import NamedTuple

from trimtab.atoms.error import NotThere
from trimtab.atoms.run import LoggedFile
from trimtab.tracking.rule import require_path
from trimtab.tracking.tracking import Tracking
from trimtab.web.mlflow.answer import Json
from trimtab.web.route import Refused

#: Owners whose experiment is remembered: it never changes.
_MOST_KNOWN = 10_000


class Place(NamedTuple):
    """A path of a run or a logged model."""

    owner: str
    #: Below the owner's folder; empty: the folder itself.
    path: str


class Places:
    """Finds whose a path is. A path of another experiment than its owner's is as good as none."""

    def __init__(self, tracking: Tracking) -> None:
        self._tracking = tracking
        self._experiments: dict[str, str] = {}

    def of(self, path: str) -> Place:
        """The place that `EXPERIMENT/RUN/artifacts/...` or `EXPERIMENT/models/MODEL/artifacts/...` means.

        Raises:
            Refused: The path is no such path.
            UsageError: What is below the folder breaks a rule.
            NotThere: Nobody has such a folder.
        """
        experiment, place = _taken_apart(path)
        if self._experiment(place.owner) != experiment:
            raise NotThere(
                f"no run and no logged model {place.owner[:80]!r} is in experiment {experiment[:80]!r}"
            )
        return place

    def known(self, path: str) -> Place | None:
        """The same where nothing must be read for it, None elsewhere; an event loop may call it."""
        experiment, place = _taken_apart(path)
        return place if self._experiments.get(place.owner) == experiment else None

    def _experiment(self, owner: str) -> str | None:
        known = self._experiments.get(owner)
        if known is not None:
            return known
        self._tracking.follower.catch_up()
        run = self._tracking.index.runs.find(owner)
        model = None if run is not None else self._tracking.index.models.find(owner)
        head = run.head if run is not None else model.head if model is not None else None
        if head is None:
            return None
        if len(self._experiments) >= _MOST_KNOWN:
            self._experiments.clear()
        self._experiments[owner] = head.experiment
        return head.experiment


def _taken_apart(path: str) -> tuple[str, Place]:
    parts = path.removesuffix("/").split("/")
    if len(parts) >= 4 and parts[1] == "models" and parts[3] == "artifacts":
        experiment, owner, rest = parts[0], parts[2], parts[4:]
    elif len(parts) >= 3 and parts[2] == "artifacts":
        experiment, owner, rest = parts[0], parts[1], parts[3:]
    else:
        raise Refused(
            400,
            f"{path[:100]!r}: files are at EXPERIMENT/RUN/artifacts/... or EXPERIMENT/models/MODEL/artifacts/...",
        )
    return experiment, Place(owner, require_path("/".join(rest)) if rest else "")


def listing(files: list[LoggedFile], folder: str, *, names_only: bool = False) -> list[Json]:
    """What is directly in a folder: its files with their sizes, and its folders.

    Args:
        files: All that is below the folder.
        folder: Its path; empty: the owner's.
        names_only: The last part of each path alone.
    """
    start = len(folder) + 1 if folder else 0
    found: dict[str, Json] = {}
    for file in files:
        name, slash, _ = file.path[start:].partition("/")
        path = name if names_only else file.path[:start] + name
        if slash:
            found[name] = {"path": path, "is_dir": True}
        else:
            found[name] = {"path": path, "is_dir": False, "file_size": file.size_bytes}
    return [found[name] for name in sorted(found)]


def folder_of(path: str | None) -> str:
    """The folder that a client asks to be listed; UsageError where it is no path."""
    folder = tidied((path or "").rstrip("/"))
    return require_path(folder) if folder else ""


def tidied(path: str) -> str:
    """A path in a query as HTTP clients write it in an address: `./plots/.` is `plots`."""
    return "/".join(part for part in path.split("/") if part != ".")
