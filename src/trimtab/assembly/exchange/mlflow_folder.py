"""An MLflow file store: a folder `mlruns` with a folder an experiment, a folder a run, and a file a metric."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from trimtab.assembly.exchange.artifact_place import ArtifactPlace
from trimtab.assembly.exchange.flat_yaml import read_flat_yaml
from trimtab.assembly.exchange.foreign import (
    ForeignExperiment,
    ForeignFile,
    ForeignModel,
    ForeignModelPoints,
    ForeignRegistered,
    ForeignRun,
    ForeignVersion,
    Overview,
)
from trimtab.assembly.exchange.portion import portions
from trimtab.atoms.error import UsageError
from trimtab.atoms.metric_point import Points
from trimtab.atoms.run import NAME_TAG, USER_TAG, LoggedDataset, ModelLink, ModelStatus, RunStatus
from trimtab.tracking.registry.registered_model import Stage

_META, _TRASH, _MODELS = "meta.yaml", ".trash", "models"
_RUN_STATUS = {
    1: RunStatus.RUNNING,
    2: RunStatus.SCHEDULED,
    3: RunStatus.FINISHED,
    4: RunStatus.FAILED,
    5: RunStatus.KILLED,
}
_MODEL_STATUS = {1: ModelStatus.PENDING, 2: ModelStatus.READY, 3: ModelStatus.FAILED}
#: Stages of versions that were deleted.
_DELETED_STAGE = "Deleted_Internal"


Read = TypeVar("Read")


class FolderStore:
    """Reads one folder; nothing is written to it."""

    def __init__(self, root: Path, artifacts: Path | None = None) -> None:
        """
        Args:
            artifacts: Where its server kept files; None: `mlartifacts` beside the folder, or the folder itself.

        Raises:
            UsageError: There is no such folder, or no experiment in it.
        """
        if not root.is_dir():
            raise UsageError(f"{root} is no folder: give the folder `mlruns`")
        self._root = root.resolve()
        self.shown = str(self._root)
        self._place = ArtifactPlace(self._root.parent, artifacts, store=self._root)
        self.unread: dict[Path, str] = {}
        if not any(self._experiment_folders()):
            raise UsageError(
                f"{root} is no MLflow file store: no folder in it has a {_META} of an experiment"
            )

    def experiments(self) -> list[ForeignExperiment]:
        return list(self._readable(_experiment, self._experiment_folders()))

    def runs(self) -> Iterator[list[ForeignRun]]:
        yield from portions(self._readable(_run, self._run_folders()))

    def models(self) -> list[ForeignModel]:
        folders = (
            meta.parent
            for experiment in self._readable_experiments()
            for meta in sorted((experiment / _MODELS).glob(f"*/{_META}"))
        )
        return list(self._readable(_model, folders))

    def registered(self) -> list[ForeignRegistered]:
        folders = (meta.parent for meta in sorted((self._root / _MODELS).glob(f"*/{_META}")))
        return list(self._readable(_registered, folders))

    def files(self, place: str) -> list[ForeignFile]:
        return self._place.files(place)

    def overview(self) -> Overview:
        traces = sum(1 for each in self._experiment_folders() for _ in (each / "traces").glob("*"))
        return Overview(sum(1 for _ in self._run_folders()), {"traces": traces} if traces else {})

    def _experiment_folders(self) -> Iterator[Path]:
        for root in (self._root, self._root / _TRASH):
            for meta in sorted(root.glob(f"*/{_META}")):
                if meta.parent.name != _MODELS:
                    yield meta.parent

    def _readable_experiments(self) -> Iterator[Path]:
        for folder in self._experiment_folders():
            if list(self._readable(_experiment, [folder])):
                yield folder

    def _run_folders(self) -> Iterator[Path]:
        for experiment in self._readable_experiments():
            for folder in sorted(path for path in experiment.iterdir() if path.is_dir()):
                if (folder / _META).is_file():
                    yield folder
                elif any((folder / part).is_dir() for part in ("metrics", "params")):
                    self.unread[folder] = f"{folder} is the folder of a run, and has no {_META}"

    def _readable(self, read: Callable[[Path], Read], folders: Iterable[Path]) -> Iterator[Read]:
        """What can be read of the folders; of the others it is noted why not."""
        for folder in folders:
            try:
                yield read(folder)
            except UsageError as error:
                self.unread[folder] = str(error)
            except (KeyError, TypeError, ValueError, OSError) as error:
                self.unread[folder] = f"{folder} cannot be read: {type(error).__name__}: {error}"


def _read(folder: Path) -> dict[str, Any]:
    meta = folder / _META
    return read_flat_yaml(meta.read_text(encoding="utf-8"), str(meta))


def _experiment(folder: Path) -> ForeignExperiment:
    meta = _read(folder)
    created = meta.get("creation_time") or 0
    return ForeignExperiment(
        id=str(meta["experiment_id"]),
        name=str(meta["name"]),
        # MLflow 1 moves the folder of a deleted experiment, and leaves the meta file as it was.
        deleted=meta.get("lifecycle_stage") == "deleted" or folder.parent.name == _TRASH,
        created_ms=created,
        updated_ms=meta.get("last_update_time") or created,
        tags=_texts(folder / "tags"),
    )


def _run(folder: Path) -> ForeignRun:
    meta = _read(folder)
    run = ForeignRun(
        id=str(meta.get("run_id") or meta["run_uuid"]),
        experiment=str(meta["experiment_id"]),
        status=_RUN_STATUS.get(meta["status"], RunStatus.RUNNING),
        deleted=meta.get("lifecycle_stage") == "deleted" or folder.parent.parent.name == _TRASH,
        started_ms=meta.get("start_time") or 0,
        ended_ms=meta.get("end_time"),
        parameters=_texts(folder / "params"),
        tags=_texts(folder / "tags"),
        place=_artifacts(folder, meta.get("artifact_uri")),
    )
    for tag, key in ((NAME_TAG, "run_name"), (USER_TAG, "user_id")):
        if meta.get(key):
            run.tags.setdefault(tag, str(meta[key]))
    for metric, moment, value, step, _ in _metric_lines(folder / "metrics"):
        run.points.add(metric, step, value, moment)
    run.datasets = tuple(_datasets(folder))
    run.models_in = tuple(
        ModelLink(model=meta["source_id"]) for meta in _inputs(folder) if meta["source_type"] == "MODEL"
    )
    outputs = [_read(each.parent) for each in sorted((folder / "outputs").glob(f"*/{_META}"))]
    run.models_out = tuple(
        ModelLink(model=meta["destination_id"], step=meta.get("step") or 0) for meta in outputs
    )
    return run


def _inputs(run: Path) -> list[dict[str, Any]]:
    return [_read(each.parent) for each in sorted((run / "inputs").glob(f"*/{_META}"))]


def _datasets(run: Path) -> Iterator[LoggedDataset]:
    for meta in _inputs(run):
        folder = run.parent / "datasets" / str(meta["source_id"])
        if meta["source_type"] == "DATASET" and (folder / _META).is_file():
            told = _read(folder)
            yield LoggedDataset(
                name=str(told["name"]),
                digest=str(told["digest"]),
                source_type=str(told["source_type"]),
                source=str(told["source"]),
                schema=str(told.get("schema") or ""),
                profile=str(told.get("profile") or ""),
                tags={key: str(value) for key, value in (meta.get("tags") or {}).items()},
            )


def _metric_lines(folder: Path) -> Iterator[tuple[str, int, float, int, list[str]]]:
    """Metric, microseconds, value, step, and what else stands in the line."""
    for file in _files(folder):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            parts = line.split(" ")
            try:
                moment, value = int(parts[0]) * 1000, float(parts[1])
                step = int(parts[2]) if len(parts) > 2 else 0
            except (ValueError, IndexError) as error:
                raise UsageError(f"{file}, line {number}: {line[:80]!r} is no metric point") from error
            yield file.relative_to(folder).as_posix(), moment, value, step, parts[3:]


def _model(folder: Path) -> ForeignModel:
    meta = _read(folder)
    groups: dict[tuple[str, str, str], Points] = defaultdict(Points)
    for metric, moment, value, step, more in _metric_lines(folder / "metrics"):
        run, dataset, digest = (*more, "", "", "")[:3]
        groups[run, dataset, digest].add(metric, step, value, moment)
    return ForeignModel(
        id=meta["model_id"],
        experiment=str(meta["experiment_id"]),
        name=str(meta["name"]),
        type=str(meta.get("model_type") or ""),
        run=str(meta.get("source_run_id") or ""),
        status=_MODEL_STATUS.get(meta["status"], ModelStatus.PENDING),
        note=str(meta.get("status_message") or ""),
        created_ms=meta["creation_timestamp"],
        updated_ms=meta["last_updated_timestamp"],
        deleted=meta.get("lifecycle_stage") == "deleted",
        parameters=_texts(folder / "params"),
        tags=_texts(folder / "tags"),
        points=[
            ForeignModelPoints(run=run, dataset=(dataset, digest), points=points)
            for (run, dataset, digest), points in groups.items()
        ],
        place=_artifacts(folder, meta.get("artifact_location")),
    )


def _artifacts(folder: Path, said: Any) -> str:
    """Where files are: beside the meta file, wherever the store lies by now; else where they were told to be put."""
    beside = folder / "artifacts"
    return str(beside if not said or (beside.is_dir() and any(beside.iterdir())) else said)


def _registered(folder: Path) -> ForeignRegistered:
    meta = _read(folder)
    versions = [_version(each.parent) for each in folder.glob(f"version-*/{_META}")]
    aliases: dict[str, str] = {**(meta.get("aliases") or {}), **_texts(folder / "aliases")}
    return ForeignRegistered(
        name=str(meta["name"]),
        description=str(meta.get("description") or ""),
        created_ms=meta["creation_timestamp"],
        updated_ms=meta["last_updated_timestamp"],
        tags=_texts(folder / "tags"),
        aliases={alias: int(number) for alias, number in aliases.items()},
        versions=sorted((each for each in versions if each is not None), key=lambda each: each.number),
    )


def _version(folder: Path) -> ForeignVersion | None:
    meta = _read(folder)
    if meta.get("current_stage") == _DELETED_STAGE:
        return None
    return ForeignVersion(
        number=int(meta["version"]),
        source=str(meta.get("source") or ""),
        run=str(meta.get("run_id") or ""),
        logged_model=str(meta.get("model_id") or ""),
        run_link=str(meta.get("run_link") or ""),
        description=str(meta.get("description") or ""),
        stage=Stage(meta.get("current_stage") or Stage.NONE),
        created_ms=meta["creation_timestamp"],
        updated_ms=meta["last_updated_timestamp"],
        tags=_texts(folder / "tags"),
        place=str(meta.get("storage_location") or meta.get("source") or ""),
    )


def _texts(folder: Path) -> dict[str, str]:
    """Files by their path below the folder, with what stands in them."""
    return {file.relative_to(folder).as_posix(): file.read_bytes().decode("utf-8") for file in _files(folder)}


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else []
