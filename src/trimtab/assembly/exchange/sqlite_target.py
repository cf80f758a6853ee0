"""Giving back into MLflow's SQLite store: rows into its tables, files beside it as its server keeps them."""

import math
import os
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trimtab.assembly.exchange.account import Account
from trimtab.assembly.exchange.file_intake import digest_of
from trimtab.assembly.exchange.foreign import (
    ForeignExperiment,
    ForeignFile,
    ForeignModel,
    ForeignRegistered,
    ForeignRun,
    ForeignStore,
    ForeignVersion,
)
from trimtab.assembly.exchange.mlflow_schema import MlflowTables
from trimtab.atoms.error import UsageError
from trimtab.atoms.run import NAME_TAG, USER_TAG, LoggedDataset, ModelStatus
from trimtab.tracking.file import PIECE_BYTES

#: What a file of MLflow's holds as a number at most, and takes for the infinite.
MOST_REAL = 1.7976931348623157e308
_MODEL_STATUS = {ModelStatus.PENDING: 1, ModelStatus.READY: 2, ModelStatus.FAILED: 3}


class SqliteTarget:
    """Writes into one database; ids and moments are kept. What is there already is not written again."""

    def __init__(self, tables: MlflowTables, artifacts: Path, source: ForeignStore, account: Account) -> None:
        """
        Args:
            artifacts: Folder for files, which `mlflow server --artifacts-destination` is given.
        """
        self._tables, self._artifacts, self._source, self._account = tables, artifacts, source, account
        self._experiments: dict[str, int] = {}

    def experiments(self, experiments: list[ForeignExperiment]) -> None:
        """Write experiments; one of the same name is the same one."""
        for experiment in experiments:
            there = self._tables.rows(
                "SELECT experiment_id FROM experiments WHERE name = ?", (experiment.name,)
            )
            id = int(there[0][0]) if there else self._free(experiment.id)
            self._experiments[experiment.id] = id
            row = {
                "experiment_id": id,
                "name": experiment.name,
                "artifact_location": f"mlflow-artifacts:/{id}",
                "lifecycle_stage": _stage(experiment.deleted),
                "creation_time": experiment.created_ms,
                "last_update_time": experiment.updated_ms,
            }
            self._account.took("experiments", int(not there and self._tables.put("experiments", row)))
            for key, value in experiment.tags.items():
                row = {"key": key, "value": value, "experiment_id": id}
                self._tables.put("experiment_tags", row, replace=True)
        self._tables.save()

    def runs(self, runs: list[ForeignRun]) -> None:
        """Write runs with all that they logged."""
        for run in runs:
            self._run(run)
        self._tables.save()

    def models(self, models: list[ForeignModel]) -> None:
        """Write logged models; UsageError where the version of MLflow has none."""
        if models and not self._tables.has("logged_models"):
            raise UsageError(
                "this database is of MLflow 2, which has no logged models: `mlflow db upgrade` it"
            )
        for model in models:
            self._model(model)
        self._tables.save()

    def registered(self, models: list[ForeignRegistered]) -> None:
        """Write registered models."""
        for model in models:
            row = {
                "name": model.name,
                "creation_time": model.created_ms,
                "last_updated_time": model.updated_ms,
                "description": model.description,
            }
            self._account.took("registered models", int(self._tables.put("registered_models", row)))
            for key, value in model.tags.items():
                self._tables.put(
                    "registered_model_tags", {"name": model.name, "key": key, "value": value}, replace=True
                )
            for version in model.versions:
                self._version(model.name, version)
            for alias, number in model.aliases.items():
                row = {"name": model.name, "alias": alias, "version": number}
                there = self._tables.rows(
                    "SELECT 1 FROM registered_model_aliases WHERE name = ? AND alias = ? AND version = ?",
                    (model.name, alias, number),
                )
                if not there:
                    self._tables.put("registered_model_aliases", row, replace=True)
                    self._account.took("aliases")
        self._tables.save()

    def _free(self, wanted: str) -> int:
        """The id itself where it is free and fits; else the next one."""
        fits = wanted.isdigit() and int(wanted) < 1 << 63
        taken = "SELECT 1 FROM experiments WHERE experiment_id = ?"
        if fits and not self._tables.rows(taken, (int(wanted),)):
            return int(wanted)
        return int(self._tables.rows("SELECT max(experiment_id) FROM experiments")[0][0]) + 1

    def _run(self, run: ForeignRun) -> None:
        experiment = self._experiments[run.experiment]
        folder = f"{experiment}/{run.id}/artifacts"
        row = {
            "run_uuid": run.id,
            "name": run.tags.get(NAME_TAG, ""),
            "source_type": "UNKNOWN",
            "source_name": "",
            "entry_point_name": "",
            "source_version": "",
            "user_id": run.tags.get(USER_TAG, ""),
            "status": run.status.value,
            "start_time": run.started_ms,
            "end_time": run.ended_ms,
            "deleted_time": run.ended_ms if run.deleted else None,
            "lifecycle_stage": _stage(run.deleted),
            "artifact_uri": f"mlflow-artifacts:/{folder}",
            "experiment_id": experiment,
        }
        if self._tables.put("runs", row):
            self._account.took("runs")
        else:
            changed = ("status", "end_time", "lifecycle_stage")
            values = (*(row[name] for name in changed), run.id)
            self._tables.change(
                f"UPDATE runs SET {', '.join(f'{name} = ?' for name in changed)} WHERE run_uuid = ?", values
            )
        self._texts("params", "parameters", run.id, run.parameters)
        self._texts("tags", "tags", run.id, run.tags)
        self._points(run)
        for dataset in run.datasets:
            self._dataset(experiment, run.id, dataset)
        for links, what in ((run.models_in, "INPUT"), (run.models_out, "OUTPUT")):
            for link in links:
                self._input(f"RUN_{what}", run.id, f"MODEL_{what}", link.model, link.step)
        self._files(folder, self._source.files(run.place))

    def _texts(self, table: str, kind: str, run: str, texts: Mapping[str, str]) -> None:
        there = dict(self._tables.rows(f"SELECT key, value FROM {table} WHERE run_uuid = ?", (run,)))
        for key, value in texts.items():
            if there.get(key) != value:
                row = {"key": key, "value": value, "run_uuid": run}
                self._account.took(kind, int(self._tables.put(table, row, replace=table == "tags")))

    def _points(self, run: ForeignRun) -> None:
        last: dict[str, tuple[tuple[int, int, float], dict[str, Any]]] = {}
        for metric, step, value, at_us in run.points:
            row = {
                "key": metric,
                "run_uuid": run.id,
                "step": step,
                "timestamp": at_us // 1000,
                **_number(value),
            }
            self._account.took("points", int(self._tables.put("metrics", row)))
            order = (step, at_us // 1000, -math.inf if row["is_nan"] else row["value"])
            if metric not in last or order > last[metric][0]:
                last[metric] = (order, row)
        for _, row in last.values():
            self._tables.put("latest_metrics", row, replace=True)

    def _dataset(self, experiment: int, run: str, dataset: LoggedDataset) -> None:
        found = self._tables.rows(
            "SELECT dataset_uuid FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?",
            (experiment, dataset.name, dataset.digest),
        )
        id = found[0][0] if found else _uuid("dataset", experiment, dataset.name, dataset.digest)
        row = {
            "dataset_uuid": id,
            "experiment_id": experiment,
            "name": dataset.name,
            "digest": dataset.digest,
            "dataset_source_type": dataset.source_type,
            "dataset_source": dataset.source,
            "dataset_schema": dataset.schema or None,
            "dataset_profile": dataset.profile or None,
        }
        self._tables.put("datasets", row)
        input = _uuid("input", id, run)
        if self._input("DATASET", id, "RUN", run, 0):
            self._account.took("datasets")
            for name, value in dataset.tags.items():
                self._tables.put("input_tags", {"input_uuid": input, "name": name, "value": value})

    def _input(self, source_type: str, source: str, type: str, destination: str, step: int) -> bool:
        ends = (source, destination) if source_type == "DATASET" else (source_type, source, destination)
        row = {
            "input_uuid": _uuid("input", *ends),
            "source_type": source_type,
            "source_id": source,
            "destination_type": type,
            "destination_id": destination,
            "step": step,
        }
        return self._tables.put("inputs", row)

    def _model(self, model: ForeignModel) -> None:
        experiment = self._experiments[model.experiment]
        folder = f"{experiment}/models/{model.id}/artifacts"
        row = {
            "model_id": model.id,
            "experiment_id": experiment,
            "name": model.name,
            "artifact_location": f"mlflow-artifacts:/{folder}",
            "creation_timestamp_ms": model.created_ms,
            "last_updated_timestamp_ms": model.updated_ms,
            "status": _MODEL_STATUS[model.status],
            "lifecycle_stage": _stage(model.deleted),
            "model_type": model.type,
            "source_run_id": model.run,
            "status_message": model.note or None,
        }
        self._account.took("logged models", int(self._tables.put("logged_models", row)))
        owner = {"model_id": model.id, "experiment_id": experiment}
        for key, value in model.parameters.items():
            self._tables.put("logged_model_params", {**owner, "param_key": key, "param_value": value})
        for key, value in model.tags.items():
            self._tables.put("logged_model_tags", {**owner, "tag_key": key, "tag_value": value}, replace=True)
        for measured in model.points:
            name, digest = measured.dataset
            datasets = self._tables.rows(
                "SELECT dataset_uuid FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?",
                (experiment, name, digest),
            )
            for metric, step, value, at_us in measured.points:
                row = {
                    **owner,
                    "metric_name": metric,
                    "metric_timestamp_ms": at_us // 1000,
                    "metric_step": step,
                    "metric_value": _number(value)["value"],
                    "run_id": measured.run,
                    "dataset_uuid": datasets[0][0] if datasets else None,
                    "dataset_name": name or None,
                    "dataset_digest": digest or None,
                }
                self._tables.put("logged_model_metrics", row)
        self._files(folder, self._source.files(model.place))

    def _version(self, name: str, version: ForeignVersion) -> None:
        files = self._source.files(version.place)
        folder = f"registry/{_uuid('version', name, version.number)}"
        row = {
            "name": name,
            "version": version.number,
            "creation_time": version.created_ms,
            "last_updated_time": version.updated_ms,
            "description": version.description,
            "current_stage": version.stage.value,
            "source": version.source,
            "storage_location": f"mlflow-artifacts:/{folder}" if files else version.source,
            "run_id": version.run,
            "run_link": version.run_link,
            "status": "READY",
        }
        self._account.took("versions", int(self._tables.put("model_versions", row)))
        for key, value in version.tags.items():
            tag = {"name": name, "version": version.number, "key": key, "value": value}
            self._tables.put("model_version_tags", tag, replace=True)
        self._files(folder, files, counted=False)

    def _files(self, folder: str, files: list[ForeignFile], *, counted: bool = True) -> None:
        """Write files that are not there; one that was written half is not there."""
        for file in files:
            path = self._artifacts / folder / file.path
            if path.is_file() and digest_of(_read(path)) == digest_of(file.read()):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name[:100]}.part")
            with draft.open("wb") as target:
                for piece in file.read():
                    target.write(piece)
                target.flush()
                os.fsync(target.fileno())
            draft.replace(path)
            if counted:
                self._account.took("files")
                self._account.took("file bytes", path.stat().st_size)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as content:
        while piece := content.read(PIECE_BYTES):
            yield piece


def _number(value: float) -> dict[str, Any]:
    """A value as MLflow's tables hold one: they know no infinity."""
    if math.isnan(value):
        return {"value": 0.0, "is_nan": 1}
    return {"value": max(-MOST_REAL, min(MOST_REAL, value)), "is_nan": 0}


def _uuid(*parts: object) -> str:
    """The same id for the same thing, so that nothing is written twice."""
    return uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, parts))).hex


def _stage(deleted: bool) -> str:
    return "deleted" if deleted else "active"
