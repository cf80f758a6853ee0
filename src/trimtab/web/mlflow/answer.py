"""Answers: experiments, runs and logged models as MLflow's JSON has them. What is empty is left out."""

from typing import Any

from trimtab.atoms.run import (
    USER_TAG,
    Experiment,
    LastPoint,
    LoggedDataset,
    LoggedModel,
    ModelMetric,
    ModelStatus,
    Run,
)
from trimtab.web.mlflow.number import written

#: Answers are built as plain values: a field that is not set must not be there, and nearly all of them may be unset.
Json = dict[str, Any]

_MODEL_STATUS = {
    ModelStatus.PENDING: "LOGGED_MODEL_PENDING",
    ModelStatus.READY: "LOGGED_MODEL_READY",
    ModelStatus.FAILED: "LOGGED_MODEL_UPLOAD_FAILED",
}


def experiment_answer(experiment: Experiment) -> Json:
    """An experiment."""
    return {
        "experiment_id": experiment.id,
        "name": experiment.name,
        "artifact_location": experiment_uri(experiment.id),
        "lifecycle_stage": _stage(experiment.deleted),
        "last_update_time": experiment.updated_ms,
        "creation_time": experiment.created_ms,
        **_filled(tags=_pairs(experiment.tags)),
    }


def run_answer(run: Run) -> Json:
    """A run with its data, inputs and outputs."""
    return {
        "info": run_info(run),
        "data": _filled(
            metrics=[_last_metric(name, point) for name, point in run.metrics.items()],
            params=_pairs(run.parameters),
            tags=_pairs(run.tags),
        ),
        "inputs": _filled(
            dataset_inputs=[_dataset(dataset) for dataset in run.datasets],
            model_inputs=[{"model_id": link.model} for link in run.models_in],
        ),
        "outputs": _filled(
            model_outputs=[{"model_id": link.model, "step": link.step} for link in run.models_out]
        ),
    }


def run_info(run: Run) -> Json:
    """What stands at the head of a run."""
    head = run.head
    ended = {} if head.ended_ms is None else {"end_time": head.ended_ms}
    return {
        "run_id": head.id,
        "run_uuid": head.id,
        "run_name": run.name,
        "experiment_id": head.experiment,
        "user_id": run.tags.get(USER_TAG, ""),
        "status": str(head.status),
        "start_time": head.started_ms,
        **ended,
        "artifact_uri": run_uri(head.experiment, head.id),
        "lifecycle_stage": _stage(head.deleted),
    }


def model_answer(model: LoggedModel) -> Json:
    """A logged model."""
    head = model.head
    return {
        "info": {
            "model_id": head.id,
            "experiment_id": head.experiment,
            "name": head.name,
            "creation_timestamp_ms": head.created_ms,
            "last_updated_timestamp_ms": head.updated_ms,
            "artifact_uri": model_uri(head.experiment, head.id),
            "status": _MODEL_STATUS[head.status],
            **_filled(
                model_type=head.type,
                source_run_id=head.run,
                status_message=head.note,
                tags=_pairs(model.tags),
            ),
        },
        "data": _filled(
            params=_pairs(model.parameters),
            metrics=[_model_metric(head.id, metric) for metric in model.metrics],
        ),
    }


def experiment_uri(experiment: str) -> str:
    """Where the files of an experiment's runs are."""
    return f"mlflow-artifacts:/{experiment}"


def run_uri(experiment: str, run: str) -> str:
    """Where the files of a run are."""
    return f"mlflow-artifacts:/{experiment}/{run}/artifacts"


def model_uri(experiment: str, model: str) -> str:
    """Where the files of a logged model are."""
    return f"mlflow-artifacts:/{experiment}/models/{model}/artifacts"


def metric_answer(name: str, value: float, at_us: int, step: int) -> Json:
    """A metric's value at a step."""
    return {"key": name, "value": written(value), "timestamp": at_us // 1000, "step": step}


def _last_metric(name: str, point: LastPoint) -> Json:
    return metric_answer(name, point.value, point.at_us, point.step)


def _model_metric(model: str, metric: ModelMetric) -> Json:
    name, digest = metric.dataset
    return {
        **_last_metric(metric.name, metric.last),
        **_filled(dataset_name=name, dataset_digest=digest, run_id=metric.run),
        "model_id": model,
    }


def _dataset(dataset: LoggedDataset) -> Json:
    return {
        "dataset": {
            "name": dataset.name,
            "digest": dataset.digest,
            "source_type": dataset.source_type,
            "source": dataset.source,
            **_filled(schema=dataset.schema, profile=dataset.profile),
        },
        **_filled(tags=_pairs(dataset.tags)),
    }


def _pairs(values: dict[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _stage(deleted: bool) -> str:
    return "deleted" if deleted else "active"


def _filled(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value}
