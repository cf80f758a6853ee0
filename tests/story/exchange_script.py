"""An MLflow store made by MLflow's own classes, and what MLflow's own client says of one.

python exchange_script.py make FOLDER RUNS METRICS STEPS PARAMETERS FILES
python exchange_script.py tell URL
python exchange_script.py more URL        one more point and tag
"""
# ruff: noqa: T201 (it prints its result)

import json
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
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
    ViewType,
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


def make_sqlite_store(folder: Path, size: Size) -> None:
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
    store.create_registered_model("copies")
    store.create_registered_model("empty")
    store.create_model_version("copies", f"runs:/{runs[0]}/out", runs[0])
    store.create_model_version("copies", "models:/wind/1")


def _number(value: float) -> float | str:
    return "NaN" if math.isnan(value) else value


def _told_of_run(client: Any, run: Any) -> dict[str, Any]:
    """All that MLflow's client says of a run, but where its files are."""
    info = run.info
    history = {
        metric: sorted(
            (each.step, each.timestamp, _number(each.value))
            for each in client.get_metric_history(info.run_id, metric)
        )
        for metric in run.data.metrics
    }
    datasets = [
        (each.dataset.name, each.dataset.digest, each.dataset.source, each.dataset.schema)
        for each in run.inputs.dataset_inputs
    ]
    return {
        "name": info.run_name,
        "status": info.status,
        "stage": info.lifecycle_stage,
        "times": (info.start_time, info.end_time),
        "last": {metric: _number(value) for metric, value in run.data.metrics.items()},
        "params": dict(run.data.params),
        # MLflow has the user in a column beside; here it is a tag, as its newer clients send it.
        "user": info.user_id,
        "tags": {key: value for key, value in run.data.tags.items() if key != "mlflow.user"},
        "history": history,
        "datasets": datasets,
        "models": sorted(each.model_id for each in run.outputs.model_outputs) if run.outputs else [],
    }


def tell(client: MlflowClient) -> dict[str, Any]:
    """Everything that MLflow's client finds in a store: runs by id, and the registry."""
    experiments = {each.experiment_id: each for each in client.search_experiments(view_type=ViewType.ALL)}
    runs: dict[str, Any] = {}
    token = None
    while True:
        page = client.search_runs(
            list(experiments), run_view_type=ViewType.ALL, max_results=500, page_token=token
        )
        for run in page:
            told = _told_of_run(client, run)
            runs[run.info.run_id] = {**told, "experiment": experiments[run.info.experiment_id].name}
        token = page.token
        if not token:
            break
    return {
        "experiments": {
            each.name: (each.lifecycle_stage, dict(each.tags), each.creation_time)
            for each in experiments.values()
            if each.name != "Default"
        },
        "runs": runs,
        "models": [
            (
                each.model_id,
                each.name,
                str(each.status),
                dict(each.params),
                dict(each.tags),
                each.source_run_id,
            )
            for each in client.search_logged_models(list(experiments))
        ],
        "registered": {
            each.name: (
                each.description or "",
                dict(each.tags),
                {alias: int(number) for alias, number in each.aliases.items()},
                each.creation_timestamp,
            )
            for each in client.search_registered_models()
        },
        "versions": {
            f"{each.name}/{each.version}": (
                each.description or "",
                each.current_stage,
                dict(each.tags),
                each.run_id or "",
                each.source,
                each.creation_timestamp,
            )
            for each in client.search_model_versions()
        },
    }


def more(client: MlflowClient) -> None:
    """One more point and one more tag for a run."""
    run = client.search_runs(["1"], order_by=["start_time DESC"], max_results=1)[0].info.run_id
    client.log_batch(run, metrics=[Metric("late", 1.5, 1_700_000_000_000, 7)])
    client.set_tag(run, "late", "yes")


def main() -> None:
    """Do what the arguments say."""
    what, where, *numbers = sys.argv[1:]
    if what == "make":
        make_sqlite_store(Path(where), Size(*map(int, numbers)))
        return
    if what == "tell":
        for url in (where, *numbers):
            print(json.dumps(tell(MlflowClient(url, url))))
    else:
        more(MlflowClient(where, where))


if __name__ == "__main__":
    main()
