"""One peer's logging of metric points, in a process of its own: prints points a second, or why it cannot.

    python bench/peer_metric_points.py PEER FOLDER POINTS BATCH

Run by bench/metric_points.py with the Python of an environment that has the peers.
"""
# ruff: noqa: T201 (it prints its result)

import importlib.metadata
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

#: Logs so many points, one by one or in batches, and returns when the peer says that they are kept.
Log = Callable[[int, int], None]


def mlflow_batched(folder: Path) -> Log:
    """MLflow's client on its SQLite store, `log_batch` of so many metrics a call."""
    client, run = _mlflow(f"sqlite:///{folder}/mlflow.db")
    from mlflow.entities import Metric

    def log(points: int, batch: int) -> None:
        for first in range(0, points, batch):
            client.log_batch(run, [Metric("loss", 0.5, 1, step) for step in range(first, first + batch)])

    return log


def mlflow_one_by_one(folder: Path) -> Log:
    """MLflow's client on its SQLite store, `log_metric` a point."""
    client, run = _mlflow(f"sqlite:///{folder}/mlflow.db")

    def log(points: int, batch: int) -> None:
        for step in range(points):
            client.log_metric(run, "loss", 0.5, step=step)

    return log


def mlflow_files(folder: Path) -> Log:
    """MLflow's client on its folder of files, `log_batch` of so many metrics a call."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    client, run = _mlflow(f"file://{folder}/mlruns")
    from mlflow.entities import Metric

    def log(points: int, batch: int) -> None:
        for first in range(0, points, batch):
            client.log_batch(run, [Metric("loss", 0.5, 1, step) for step in range(first, first + batch)])

    return log


def _mlflow(store: str) -> tuple[object, str]:
    import logging

    from mlflow import MlflowClient

    logging.disable(logging.INFO)
    client = MlflowClient(tracking_uri=store)
    return client, client.create_run(client.create_experiment("bench")).info.run_id


def tensorboard(folder: Path) -> Log:
    """TensorBoard's event files through tensorboardX, `add_scalar` a point, closed at the end."""
    from tensorboardX import SummaryWriter

    def log(points: int, batch: int) -> None:
        writer = SummaryWriter(str(folder))
        for step in range(points):
            writer.add_scalar("loss", 0.5, step)
        writer.close()

    return log


def wandb_offline(folder: Path) -> Log:
    """Weights & Biases offline, `log` a point, finished at the end."""
    os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_DIR=str(folder))
    import wandb

    run = wandb.init(project="bench", settings=wandb.Settings(console="off", x_disable_stats=True))

    def log(points: int, batch: int) -> None:
        for step in range(points):
            run.log({"loss": 0.5}, step=step)
        run.finish()

    return log


def aim_track(folder: Path) -> Log:
    """Aim's run, `track` a point, closed at the end."""
    import aim

    run = aim.Run(repo=str(folder), system_tracking_interval=None, log_system_params=False)

    def log(points: int, batch: int) -> None:
        for step in range(points):
            run.track(0.5, name="loss", step=step)
        run.close()

    return log


#: By the name that the table shows: the distribution, and how it logs.
PEERS: dict[str, tuple[str, Callable[[Path], Log]]] = {
    "MLflow on SQLite, batched": ("mlflow", mlflow_batched),
    "MLflow on SQLite, one by one": ("mlflow", mlflow_one_by_one),
    "MLflow on files, batched": ("mlflow", mlflow_files),
    "TensorBoard (tensorboardX)": ("tensorboardX", tensorboard),
    "W&B offline": ("wandb", wandb_offline),
    "Aim": ("aim", aim_track),
}


def main() -> None:
    """Measure one peer and print a line of JSON."""
    name, folder, points, batch = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    warnings.simplefilter("ignore")
    distribution, prepare = PEERS[name]
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        print(json.dumps({"absent": f"pip install {distribution}"}))
        return
    log = prepare(folder)
    started = time.perf_counter()
    log(points, batch)
    seconds = time.perf_counter() - started
    print(json.dumps({"version": version, "per_second": points / seconds}))


if __name__ == "__main__":
    main()
