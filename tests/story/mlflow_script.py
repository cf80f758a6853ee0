"""What users of MLflow do, with MLflow's client alone: run against any server, it prints what came of each step.

    MLFLOW_TRACKING_URI=http://... python mlflow_script.py PART ...

Each part prints one line of JSON, without what differs from server to server: ids, moments, addresses, words of errors.
"""
# ruff: noqa: T201 (it prints its result)

import json
import math
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

NOW = 1_700_000_000_000


def code_of(call: Callable[[], Any]) -> str:
    """The code of the error that a call ends with."""
    try:
        call()
    except MlflowException as error:
        return str(error.error_code)
    return "none"


def plain(value: float) -> float | str:
    """A number that JSON can hold and compare."""
    return str(value) if not math.isfinite(value) else value


def experiments() -> Any:
    """Made, found, renamed, tagged, deleted, restored."""
    client = MlflowClient()
    ids = [client.create_experiment(f"exp-{name}", tags={"team": name, "n": "1"}) for name in "abc"]
    client.set_experiment_tag(ids[0], "note", "first")
    client.set_experiment_tag(ids[0], "n", "2")
    client.delete_experiment_tag(ids[0], "team")
    client.rename_experiment(ids[1], "exp-renamed")
    client.delete_experiment(ids[2])
    told = [client.get_experiment(each) for each in ids]
    before = [(each.name, each.lifecycle_stage, dict(each.tags)) for each in told]

    def names(**asked: Any) -> list[str]:
        return [each.name for each in client.search_experiments(**asked)]

    found = {
        "active": names(),
        "deleted": names(view_type=ViewType.DELETED_ONLY),
        "all by name": names(view_type=ViewType.ALL, order_by=["name DESC"]),
        "by tag": names(filter_string="tags.n = '2'"),
        "by name": names(filter_string="name LIKE 'exp-%'", order_by=["name"]),
        "by any case": names(filter_string="attribute.name ILIKE 'EXP-RE%'"),
        "oldest": names(order_by=["creation_time ASC"], max_results=2),
    }
    pages, token = [], None
    while True:
        page = client.search_experiments(max_results=1, page_token=token, order_by=["name"])
        pages.append([each.name for each in page])
        token = page.token
        if not token:
            break
    client.restore_experiment(ids[2])
    return {
        "before": before,
        "found": found,
        "pages": pages,
        "restored": client.get_experiment(ids[2]).lifecycle_stage,
        "by name": client.get_experiment_by_name("exp-renamed").name,
        "no such name": client.get_experiment_by_name("no such") is None,
        "errors": {
            "same name": code_of(lambda: client.create_experiment("exp-a")),
            "name of a renamed": code_of(lambda: client.create_experiment("exp-renamed")),
            "no such": code_of(lambda: client.get_experiment("987654")),
            "no digits": code_of(lambda: client.get_experiment("x1")),
            "delete twice": code_of(lambda: [client.delete_experiment(ids[2]) for _ in "12"]),
            "run in a deleted one": code_of(lambda: client.create_run(ids[2])),
            "tag of a deleted one": code_of(lambda: client.set_experiment_tag(ids[2], "a", "b")),
            "restore a living one": code_of(lambda: client.restore_experiment(ids[0])),
            "tag that is not there": code_of(lambda: client.delete_experiment_tag(ids[0], "nope")),
            "bad filter": code_of(lambda: names(filter_string="name ~ 'a'")),
            "bad attribute": code_of(lambda: names(filter_string="colour = 'a'")),
            "bad order": code_of(lambda: names(order_by=["colour"])),
            "too many": code_of(lambda: names(max_results=50_001)),
        },
    }


def runs() -> Any:
    """Begun, nested, logged to, ended, resumed, deleted, restored."""
    mlflow.set_experiment("runs")
    client = MlflowClient()
    with mlflow.start_run(run_name="parent", tags={"kind": "outer"}, description="a note") as parent:
        mlflow.log_params({"depth": 3, "rate": 0.1, "long": "x" * 7000})
        mlflow.log_metric("loss", 0.5)
        for step in range(5):
            mlflow.log_metrics({"loss": 1.0 / (step + 1), "acc": step / 5}, step=step)
        mlflow.set_tags({"stage": "try", "gone": "soon"})
        mlflow.delete_tag("gone")
        with mlflow.start_run(run_name="child", nested=True) as child:
            mlflow.log_param("depth", 4)
        with mlflow.start_run(run_name="failed", nested=True) as failed:
            pass
    client.set_terminated(failed.info.run_id, "FAILED")
    with mlflow.start_run(run_id=parent.info.run_id) as resumed:
        mlflow.log_metric("late", 1.0)
    client.update_run(child.info.run_id, name="child renamed", status="KILLED")
    run = client.get_run(parent.info.run_id)
    kept = {key: value for key, value in run.data.tags.items() if key not in ("mlflow.source.git.commit",)}
    client.delete_run(failed.info.run_id)
    deleted = client.get_run(failed.info.run_id).info.lifecycle_stage
    errors = {
        "log to a deleted one": code_of(lambda: client.log_metric(failed.info.run_id, "a", 1)),
        "param of a deleted one": code_of(lambda: client.log_param(failed.info.run_id, "a", 1)),
        "tag of a deleted one": code_of(lambda: client.set_tag(failed.info.run_id, "a", 1)),
        "end a deleted one": code_of(lambda: client.set_terminated(failed.info.run_id)),
        "other value": code_of(lambda: client.log_param(child.info.run_id, "depth", 5)),
        "same value": code_of(lambda: client.log_param(child.info.run_id, "depth", 4)),
        "no such run": code_of(lambda: client.get_run("0" * 32)),
        "log to no run": code_of(lambda: client.log_metric("0" * 32, "a", 1)),
        "bad metric name": code_of(lambda: client.log_metric(child.info.run_id, "a?b", 1)),
        "path as a name": code_of(lambda: client.log_metric(child.info.run_id, "../a", 1)),
        "name of a metric too long": code_of(lambda: client.log_metric(child.info.run_id, "a" * 251, 1)),
        "bad tag name": code_of(lambda: client.set_tag(child.info.run_id, "a?b", 1)),
        "no such tag": code_of(lambda: client.delete_tag(child.info.run_id, "nope")),
        "two names": code_of(lambda: client.create_run("0", run_name="a", tags={"mlflow.runName": "b"})),
        "too many metrics": code_of(lambda: _batch(client, child.info.run_id, 1001, 0, 0)),
        "too many params": code_of(lambda: _batch(client, child.info.run_id, 0, 101, 0)),
        "param twice": code_of(
            lambda: client.log_batch(child.info.run_id, params=[Param("twice", "1"), Param("twice", "2")])
        ),
    }
    client.restore_run(failed.info.run_id)
    return {
        "status": run.info.status,
        "resumed": [resumed.info.status, resumed.info.run_id == parent.info.run_id],
        "name": run.info.run_name,
        "params": {key: len(value) if key == "long" else value for key, value in run.data.params.items()},
        "metrics": {key: plain(value) for key, value in run.data.metrics.items()},
        "tags": sorted(kept),
        "note": run.data.tags["mlflow.note.content"],
        "child of": client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == parent.info.run_id,
        "child": [
            client.get_run(child.info.run_id).info.run_name,
            client.get_run(child.info.run_id).info.status,
        ],
        "deleted": deleted,
        "restored": client.get_run(failed.info.run_id).info.lifecycle_stage,
        "errors": errors,
    }


def _batch(client: MlflowClient, run: str, metrics: int, params: int, tags: int) -> None:
    """A batch as it comes, past the client's own cutting into smaller ones."""
    client._tracking_client.store.log_batch(
        run,
        [Metric(f"m{each}", 1.0, NOW, 0) for each in range(metrics)],
        [Param(f"p{each}", "1") for each in range(params)],
        [RunTag(f"t{each}", "1") for each in range(tags)],
    )


def histories() -> Any:
    """Points with repeats, no numbers, steps in any order; read whole and by the page."""
    client = MlflowClient()
    run = client.create_run("0", run_name="histories").info.run_id
    for step, value in ((3, 0.3), (1, 0.1), (2, float("nan")), (1, 0.1), (1, 0.05), (-4, 4.0)):
        client.log_metric(run, "loss", value, timestamp=NOW + step, step=step)
    client.log_metric(run, "nan", float("nan"), timestamp=NOW, step=1)
    batch = [Metric("many", float(place), NOW + place, place // 2) for place in range(50)]
    client.log_batch(run, metrics=batch)
    client.log_batch(run, metrics=batch)
    store = client._tracking_client.store
    pages, token = [], None
    while True:
        page = store.get_metric_history(run, "many", max_results=20, page_token=token)
        pages.append([point.value for point in page])
        token = page.token
        if not token:
            break
    return {
        "loss": [
            (point.step, point.timestamp, plain(point.value))
            for point in client.get_metric_history(run, "loss")
        ],
        "many": len(client.get_metric_history(run, "many")),
        "pages": pages,
        "no such metric": len(client.get_metric_history(run, "nope")),
        "last": {key: plain(value) for key, value in client.get_run(run).data.metrics.items()},
    }


def search() -> Any:
    """Filters, orders and pages over runs."""
    client = MlflowClient()
    experiment = client.create_experiment(f"search-{os.getpid()}")
    other = client.create_experiment(f"search-other-{os.getpid()}")
    made = []
    for place in range(12):
        tags = {"team": "ab"[place % 2], "with space": f"v {place}"}
        run = client.create_run(experiment, start_time=NOW + place, run_name=f"run-{place:02}", tags=tags)
        made.append(run.info.run_id)
        client.log_batch(
            run.info.run_id,
            metrics=[Metric("loss", [0.5, float("nan"), place / 10][place % 3], NOW, 0)]
            + ([Metric("acc", place / 12, NOW, 0)] if place > 5 else []),
            params=[Param("depth", str(place % 4)), Param("kind", "Tree" if place % 2 else "linear")],
        )
        if place % 4 == 0:
            client.set_terminated(run.info.run_id, "FAILED", end_time=NOW + 1000 + place)
        elif place % 4 == 1:
            client.set_terminated(run.info.run_id, end_time=NOW + 1000 + place)
    client.create_run(other, run_name="elsewhere", start_time=NOW)
    client.delete_run(made[3])
    filters = [
        "",
        "metrics.loss < 0.5",
        "metrics.loss >= 0.5 and params.depth = '2'",
        "metrics.acc > 0.6",
        "metrics.loss != 0.5",
        "params.kind LIKE '%ree'",
        "params.kind ILIKE 'TREE'",
        "params.kind != 'Tree'",
        "tags.team = 'a' AND attributes.status = 'FAILED'",
        "tags.`with space` = 'v 3'",
        'tags."with space" LIKE "v 1%"',
        "run_name = 'run-05'",
        "attributes.run_name LIKE 'run-0%'",
        "tags.mlflow.runName = 'run-07'",
        f"attributes.start_time > {NOW + 8}",
        f"attributes.end_time <= {NOW + 1004}",
        f"attributes.run_id = '{made[4]}'",
        f"attributes.run_id IN ('{made[4]}', '{made[5]}')",
        "parameter.depth = '3'",
        "metric.loss = 0.5",
        "run.status = 'RUNNING'",
        "param.nope = 'x'",
    ]
    found = {
        each.replace(made[4], "4").replace(made[5], "5").replace(str(NOW), "now"): _names(
            client, [experiment], each
        )
        for each in filters
    }
    orders = [
        [],
        ["metrics.loss"],
        ["metrics.loss DESC", "params.depth ASC"],
        ["metrics.acc ASC"],
        ["params.kind", "start_time DESC"],
        ["attributes.end_time DESC"],
        ["tags.`with space`"],
        ["attributes.status", "attributes.run_name desc"],
        ["Created"],
    ]
    ordered = {str(each): _names(client, [experiment], "", order_by=each) for each in orders}
    pages, token = [], None
    while True:
        page = client.search_runs(
            [experiment], max_results=5, page_token=token, order_by=["metrics.acc DESC"]
        )
        pages.append([run.info.run_name for run in page])
        token = page.token
        if not token:
            break
    bad = [
        "metrics.loss = 'a'",
        "metrics.loss LIKE 'a'",
        "params.depth > 1",
        "params.depth = 1",
        "nope.x = '1'",
        "attributes.nope = '1'",
        "metrics.loss",
        "metrics.loss < 1 OR metrics.loss > 2",
        "tags.a = b",
        "params.a IN ('1'",
    ]
    frame = mlflow.search_runs([experiment], "params.depth = '2'", order_by=["start_time"])
    return {
        "found": found,
        "ordered": ordered,
        "pages": pages,
        "deleted": _names(client, [experiment], "", run_view_type=ViewType.DELETED_ONLY),
        "all": len(client.search_runs([experiment, other], run_view_type=ViewType.ALL)),
        "two": _names(
            client, [experiment, other], "run_name LIKE '%e%'", order_by=["start_time", "run_name"]
        ),
        "none": _names(client, [], ""),
        "unknown": _names(client, ["123456"], ""),
        "frame": [sorted(frame.columns), frame["tags.mlflow.runName"].tolist()],
        "errors": {each: code_of(lambda each=each: client.search_runs([experiment], each)) for each in bad}
        | {
            "order": code_of(lambda: client.search_runs([experiment], order_by=["nope.x"])),
            "limit": code_of(lambda: client.search_runs([experiment], max_results=50_001)),
        },
    }


def _names(client: MlflowClient, experiments: list[str], text: str, **asked: Any) -> list[str]:
    return [run.info.run_name for run in client.search_runs(experiments, text, **asked)]


def files() -> Any:
    """Up, listed, down."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    mlflow.set_experiment("files")
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run() as run:
        tree = Path(folder, "tree")
        (tree / "deep" / "er").mkdir(parents=True)
        for name in ("a.txt", "deep/b.bin", "deep/er/ünï cödé + (1).txt"):
            (tree / name).write_bytes(name.encode() * 1000)
        (tree / "empty").write_bytes(b"")
        mlflow.log_artifacts(str(tree), "tree")
        mlflow.log_artifact(str(tree / "a.txt"))
        mlflow.log_text("hello", "said/hello.txt")
        mlflow.log_dict({"a": [1, 2]}, "said/told.json")
        mlflow.log_dict({"a": [1, 2]}, "said/told.yaml")
        figure, axes = pyplot.subplots()
        axes.plot([1, 2])
        mlflow.log_figure(figure, "figure.png")
        mlflow.log_table({"question": ["a", "b"], "answer": [1, 2]}, "table.json")
        client = MlflowClient()
        client.log_text(run.info.run_id, "hello again", "said/hello.txt")
        listed = {
            path: [
                (each.path, each.is_dir, each.file_size or 0)
                for each in client.list_artifacts(run.info.run_id, path)
            ]
            for path in ("tree", "tree/deep", "tree/deep/er", "said", "nope", "tree/a.txt")
        }
        listed["top"] = [(each.path, each.is_dir) for each in client.list_artifacts(run.info.run_id)]
        down = Path(
            mlflow.artifacts.download_artifacts(
                run_id=run.info.run_id, artifact_path="tree", dst_path=folder + "/d"
            )
        )
        same = {
            str(path.relative_to(down)): path.read_bytes() == (tree / path.relative_to(down)).read_bytes()
            for path in sorted(down.rglob("*"))
            if path.is_file()
        }
        text = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/said/hello.txt")
        told = mlflow.artifacts.load_dict(mlflow.get_artifact_uri("said/told.json"))
        table = mlflow.load_table("table.json", run_ids=[run.info.run_id]).to_dict("list")
        repo = mlflow.store.artifact.artifact_repository_registry.get_artifact_repository(
            mlflow.get_artifact_uri()
        )
        repo.delete_artifacts("tree/deep")
        after = [each.path for each in client.list_artifacts(run.info.run_id, "tree")]
        missing = code_of(lambda: mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/nope.txt"))
    return {
        "listed": listed,
        "same": same,
        "text": text,
        "told": told,
        "table": table,
        "after": after,
        "missing": missing,
    }


def models() -> Any:
    """Logged by hand and by autolog, found, loaded back."""
    import numpy as np
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    mlflow.set_experiment("models")
    rows, labels = load_iris(return_X_y=True, as_frame=True)
    mlflow.sklearn.autolog(log_input_examples=True)
    with mlflow.start_run(run_name="auto") as auto:
        fitted = LogisticRegression(max_iter=200).fit(rows, labels)
    mlflow.sklearn.autolog(disable=True)
    client = MlflowClient()
    run = client.get_run(auto.info.run_id)
    outputs = [client.get_logged_model(each.model_id) for each in run.outputs.model_outputs]
    loaded = mlflow.pyfunc.load_model(f"runs:/{auto.info.run_id}/model")
    with mlflow.start_run(run_name="hand") as hand:
        logged = mlflow.sklearn.log_model(
            fitted,
            name="by-hand",
            params={"alpha": 1},
            tags={"team": "a"},
            model_type="linear",
            input_example=rows.head(2),
        )
        mlflow.log_metric("score", 0.75, model_id=logged.model_id)
        mlflow.log_metric("score", 0.8, step=1, model_id=logged.model_id)
    mlflow.set_logged_model_tags(logged.model_id, {"more": "b", "less": "c"})
    mlflow.delete_logged_model_tag(logged.model_id, "less")
    mlflow.log_model_params({"beta": "2"}, logged.model_id)
    found = mlflow.get_logged_model(logged.model_id)
    by_id = mlflow.sklearn.load_model(f"models:/{logged.model_id}")
    external = mlflow.create_external_model(name="elsewhere", model_type="agent")
    experiment = hand.info.experiment_id

    def names(**asked: Any) -> list[str]:
        return [
            each.name for each in mlflow.search_logged_models([experiment], output_format="list", **asked)
        ]

    searched = {
        "all": sorted(names()),
        "by name": names(filter_string="name = 'by-hand'"),
        "by tag": names(filter_string="tags.team = 'a'"),
        "by metric": names(filter_string="metrics.score > 0.7"),
        "by param": names(filter_string="params.alpha = '1'"),
        "by metric order": names(
            order_by=[{"field_name": "metrics.score", "ascending": False}], max_results=1
        ),
    }
    client.delete_logged_model(external.model_id)
    return {
        "auto params": run.data.params.get("max_iter"),
        "auto metrics": sorted(run.data.metrics),
        "auto inputs": [each.dataset.name for each in run.inputs.dataset_inputs],
        "auto models": [(each.name, each.status.value, each.params.get("max_iter")) for each in outputs],
        "auto files": sorted(each.path for each in client.list_artifacts(auto.info.run_id)),
        "same answers": bool(np.array_equal(loaded.predict(rows), fitted.predict(rows))),
        "same model": bool(np.array_equal(by_id.predict(rows), fitted.predict(rows))),
        "hand": [
            found.name,
            found.status.value,
            found.model_type,
            dict(found.params),
            dict(found.tags).get("more"),
            "less" in found.tags,
        ],
        "last metric": max((each.step, each.key, each.value) for each in found.metrics),
        "source": found.source_run_id == hand.info.run_id,
        "files": sorted(each.path for each in client.list_logged_model_artifacts(logged.model_id)),
        "searched": searched,
        "gone": code_of(lambda: client.get_logged_model(external.model_id)),
        "no such": code_of(lambda: client.get_logged_model("m-" + "0" * 32)),
        "bad name": code_of(lambda: client.create_logged_model(experiment, name="a/b")),
    }


def inputs() -> Any:
    """Data that a run read; asynchronous logging; system metrics."""
    import pandas as pd

    mlflow.set_experiment("inputs")
    frame = pd.DataFrame({"x": [1, 2, 3], "y": [0, 1, 0]})
    data = mlflow.data.from_pandas(frame, source="somewhere.csv", name="rows", targets="y")
    with mlflow.start_run(log_system_metrics=False) as run:
        mlflow.log_input(data, context="training", tags={"who": "me"})
        mlflow.log_input(data, context="training")
        waits = [mlflow.log_metric("loss", step / 10, step=step, synchronous=False) for step in range(50)]
        waits.append(mlflow.log_params({f"p{each}": each for each in range(120)}, synchronous=False))
        waits.append(mlflow.set_tags({"a": "b"}, synchronous=False))
        for wait in waits:
            wait.wait()
    client = MlflowClient()
    kept = client.get_run(run.info.run_id)
    used = kept.inputs.dataset_inputs
    return {
        "data": [
            (
                each.dataset.name,
                each.dataset.digest,
                each.dataset.source_type,
                json.loads(each.dataset.schema),
                {tag.key: tag.value for tag in each.tags},
            )
            for each in used
        ],
        "by data": len(
            client.search_runs(
                [run.info.experiment_id], "datasets.name = 'rows' AND datasets.context = 'training'"
            )
        ),
        "by other data": len(client.search_runs([run.info.experiment_id], "datasets.name = 'other'")),
        "points": len(client.get_metric_history(run.info.run_id, "loss")),
        "params": len(kept.data.params),
        "tag": kept.data.tags["a"],
    }


def evaluate() -> Any:
    """Evaluation of a model, which needs only the store."""
    import pandas as pd

    mlflow.set_experiment("evaluate")
    frame = pd.DataFrame({"label": [0, 1, 1, 0, 1, 0], "guess": [0, 1, 0, 0, 1, 1]})
    with mlflow.start_run() as run:
        result = mlflow.models.evaluate(
            data=frame,
            targets="label",
            predictions="guess",
            model_type="classifier",
            evaluator_config={"log_explainer": False},
        )
    kept = MlflowClient().get_run(run.info.run_id)
    return {
        "metrics": {key: round(value, 6) for key, value in sorted(kept.data.metrics.items())},
        "same": set(result.metrics) == set(kept.data.metrics),
        "files": sorted(each.path for each in MlflowClient().list_artifacts(run.info.run_id)),
    }


def traces() -> Any:
    """A traced function answers as without tracing, whatever the server makes of the trace."""

    @mlflow.trace
    def twice(number: int) -> int:
        return 2 * number

    answer = twice(21)
    mlflow.flush_trace_async_logging()
    return {"answer": answer}


PARTS = {
    part.__name__: part
    for part in (experiments, runs, histories, search, files, models, inputs, evaluate, traces)
}


def main() -> None:
    """Run the parts that are named, or all."""
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    for name in sys.argv[1:] or list(PARTS):
        print(json.dumps({"part": name, "came": PARTS[name]()}), flush=True)


if __name__ == "__main__":
    main()
