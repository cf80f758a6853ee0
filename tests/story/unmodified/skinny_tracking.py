"""A search without any library of machine learning: what a script logs that has `mlflow-skinny` or `mlflow` alone."""
# ruff: noqa: T201

import json
import math
import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException


def height(place: float) -> float:
    """What is to be found: the lowest place of this."""
    return (place - 1.5) ** 2 + 0.1 * math.sin(5 * place)


def descend(rate: float) -> float:
    """Walk downhill, logging each step."""
    place = 4.0
    mlflow.log_params({"rate": rate, "start": place})
    for step in range(40):
        slope = (height(place + 1e-6) - height(place)) / 1e-6
        place -= rate * slope
        mlflow.log_metrics({"place": place, "height": height(place)}, step=step)
    return place


def main() -> None:
    mlflow.set_experiment("descent")
    with mlflow.start_run(run_name="rates", tags={"owner": "nightly"}) as parent:
        for rate in (0.01, 0.1, 0.3):
            with (
                mlflow.start_run(run_name=f"rate {rate}", nested=True),
                tempfile.TemporaryDirectory() as folder,
            ):
                found = Path(folder) / "found.json"
                found.write_text(json.dumps({"place": descend(rate)}))
                mlflow.log_artifact(str(found), "result")
                mlflow.log_text(f"rate {rate}\n", "notes/rate.txt")

    client = MlflowClient()
    best = client.search_runs(
        [parent.info.experiment_id],
        f"tags.mlflow.parentRunId = '{parent.info.run_id}' and attributes.status = 'FINISHED'",
        order_by=["metrics.height ASC"],
        max_results=1,
    )[0]
    client.set_tag(best.info.run_id, "best", "yes")
    history = client.get_metric_history(best.info.run_id, "height")
    assert [point.step for point in history] == list(range(40))

    # As a program does it that writes on behalf of another: everything of a run in one batch.
    copied = client.create_run(parent.info.experiment_id, run_name="copied")
    client.log_batch(
        copied.info.run_id,
        metrics=[Metric("height", point.value, point.timestamp, point.step) for point in history],
        params=[Param("of", best.info.run_id)],
    )
    client.set_terminated(copied.info.run_id)

    local = mlflow.artifacts.download_artifacts(f"runs:/{best.info.run_id}/result/found.json")
    place = json.loads(Path(local).read_text())["place"]
    assert place == best.data.metrics["place"]

    # The registry keeps any folder of files; skinny can register and fetch, and needs no flavour for it.
    try:
        client.create_registered_model("lowest-place", tags={"of": "descent"})
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    version = client.create_model_version(
        "lowest-place", f"runs:/{best.info.run_id}/result", run_id=best.info.run_id
    )
    client.set_registered_model_alias("lowest-place", "champion", version.version)
    fetched = Path(mlflow.artifacts.download_artifacts("models:/lowest-place@champion"))
    assert json.loads((fetched / "found.json").read_text()) == {"place": place}
    print(f"champion: {best.info.run_name}, lowest at {place}")


if __name__ == "__main__":
    main()
