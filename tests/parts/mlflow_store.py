"""An MLflow store made by MLflow's own classes: experiments, runs with histories, nested runs, files, a registry."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import (
    Dataset,
    DatasetInput,
    ExperimentTag,
    InputTag,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelParameter,
    LoggedModelTag,
    Metric,
    Param,
    RunTag,
)
from mlflow.entities.model_registry import ModelVersionTag, RegisteredModelTag
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as RegistryStore
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

BEGIN_MS = 1_600_000_000_000


@dataclass(frozen=True)
class Size:
    """How much there is."""

    runs: int
    metrics: int
    steps: int
    parameters: int
    files: int


@dataclass(frozen=True)
class MlflowStore:
    """Where it lies, and how many of each there are."""

    url: str
    folder: Path
    runs: int
    points: int
    files: int


def make_sqlite_store(folder: Path, size: Size) -> MlflowStore:
    """A SQLite store with its files in `mlartifacts` beside it, as `mlflow server` keeps them."""
    folder.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{folder}/mlflow.db"
    artifacts = folder / "mlartifacts"
    artifacts.mkdir()
    store = SqlAlchemyStore(url, "mlflow-artifacts:/")
    try:
        experiments = [
            store.create_experiment(f"study {number}", tags=[ExperimentTag("team", "wind")])
            for number in range(3)
        ]
        runs = [_run(store, artifacts, number, experiments, size) for number in range(size.runs)]
        _end(store, runs, size)
        _models(store, artifacts, experiments[0], runs)
        store.delete_experiment(experiments[2])
    finally:
        store._dispose_engine()
    registry = RegistryStore(url)
    try:
        _registry(registry, runs, experiments)
    finally:
        registry._dispose_engine()
    points = size.runs * size.metrics * size.steps
    return MlflowStore(url, folder, size.runs, points, size.files)


def _run(store: Any, artifacts: Path, number: int, experiments: list[str], size: Size) -> str:
    experiment = experiments[number % 3]
    parent = [RunTag("mlflow.parentRunId", _run.parent)] if number % 10 else []  # type: ignore[attr-defined]
    run = store.create_run(
        experiment,
        "ada",
        BEGIN_MS + number * 1000,
        [RunTag("kind", f"k{number % 4}"), *parent],
        f"run {number}",
    )
    if not number % 10:
        _run.parent = run.info.run_id  # type: ignore[attr-defined]
    metrics = [
        Metric(f"m{metric}", _value(number, metric, step), BEGIN_MS + number * 1000 + step, step)
        for metric in range(size.metrics)
        for step in range(size.steps)
    ]
    parameters = [Param(f"p{each}", str(number * each)) for each in range(size.parameters)]
    store.log_batch(run.info.run_id, metrics, parameters, [])
    if number < size.files:
        folder = artifacts / experiment / run.info.run_id / "artifacts" / "out"
        folder.mkdir(parents=True)
        (folder / "text ü.txt").write_bytes(f"file of run {number}\n".encode() * 50)
    return str(run.info.run_id)


def _value(number: int, metric: int, step: int) -> float:
    if (number + metric + step) % 97 == 0:
        return float("nan")
    return number + metric / 7 + 1 / (step + 3)


def _end(store: Any, runs: list[str], size: Size) -> None:
    from mlflow.entities import RunStatus

    states = (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)
    for number, run in enumerate(runs[:-1]):
        store.update_run_info(run, states[number % 3], BEGIN_MS + 10_000_000 + number, None)
    dataset = Dataset("weather", "abc123", "local", '{"uri": "w.csv"}', '{"a": "long"}', '{"rows": 5}')
    for run in runs[:5]:
        store.log_inputs(run, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])
    store.delete_run(runs[1])


def _models(store: Any, artifacts: Path, experiment: str, runs: list[str]) -> None:
    model = store.create_logged_model(
        experiment,
        "forest",
        runs[0],
        [LoggedModelTag("colour", "green")],
        [LoggedModelParameter("depth", "3")],
        "Agent",
    )
    folder = artifacts / experiment / "models" / model.model_id / "artifacts"
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "model.pkl").write_bytes(os.urandom(1000))
    from mlflow.entities import LoggedModelStatus

    store.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    store.log_batch(
        runs[0],
        [
            Metric(
                "score",
                0.5,
                BEGIN_MS,
                0,
                model_id=model.model_id,
                dataset_name="weather",
                dataset_digest="abc123",
            )
        ],
        [],
        [],
    )
    store.log_outputs(runs[0], [LoggedModelOutput(model.model_id, 2)])
    store.log_inputs(runs[3], models=[LoggedModelInput(model.model_id)])
    _models.made = model.model_id  # type: ignore[attr-defined]


def _registry(store: Any, runs: list[str], experiments: list[str]) -> None:
    store.create_registered_model("wind", [RegisteredModelTag("owner", "ada")], "Wind power")
    for number in range(3):
        run = runs[3 * number]
        source = f"mlflow-artifacts:/{experiments[0]}/{run}/artifacts/out"
        store.create_model_version(
            "wind", source, run, [ModelVersionTag("n", str(number))], None, f"v{number + 1}"
        )
    store.delete_model_version("wind", 2)
    store.transition_model_version_stage("wind", 1, "Archived", False)
    store.transition_model_version_stage("wind", 3, "Production", False)
    store.set_registered_model_alias("wind", "best", 3)
    store.create_registered_model("empty")


@contextmanager
def reader(url: str) -> Iterator[Any]:
    """MLflow's client over a store or a server."""
    from mlflow import MlflowClient

    client = MlflowClient(url, url)
    try:
        yield client
    finally:
        if url.startswith("sqlite"):
            client._tracking_client.store._dispose_engine()
