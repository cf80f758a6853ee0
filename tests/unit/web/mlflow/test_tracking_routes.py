"""Experiments, runs, histories, files and logged models in MLflow's protocol."""

import pytest

from parts.mlflow_caller import API, Mlflow

FILES = "/api/2.0/mlflow-artifacts/artifacts"


def test_an_experiment_lives_through_its_changes(mlflow: Mlflow) -> None:
    made = mlflow.post("/experiments/create", name="a", tags=[{"key": "team", "value": "x"}])["experiment_id"]
    mlflow.post("/experiments/set-experiment-tag", experiment_id=made, key="note", value="n")
    mlflow.post("/experiments/delete-experiment-tag", experiment_id=made, key="team")
    mlflow.post("/experiments/update", experiment_id=made, new_name="b")
    told = mlflow.get("/experiments/get-by-name", experiment_name="b")["experiment"]
    assert told["tags"] == [{"key": "note", "value": "n"}]
    assert told["artifact_location"] == f"mlflow-artifacts:/{made}"
    mlflow.post("/experiments/delete", experiment_id=made)
    assert mlflow.get("/experiments/get", experiment_id=made)["experiment"]["lifecycle_stage"] == "deleted"
    renamed = {"experiment_id": made, "new_name": "c"}
    assert mlflow.refusal("POST", "/experiments/update", json=renamed)[1] == "INVALID_STATE"
    mlflow.post("/experiments/restore", experiment_id=made)
    assert mlflow.get("/experiments/search")["experiments"][0]["name"] == "b"


def test_files_come_into_the_store_wherever_a_script_wanted_them(mlflow: Mlflow) -> None:
    asked = "s3://elsewhere/" + "x" * 9000
    made = mlflow.post("/experiments/create", name="a", artifact_location=asked)["experiment_id"]
    told = mlflow.get("/experiments/get", experiment_id=made)["experiment"]
    assert told["artifact_location"] == f"mlflow-artifacts:/{made}"
    assert told["tags"] == [{"key": "trimtab.artifact_location", "value": asked[:8000]}]


def test_experiments_come_by_the_page(mlflow: Mlflow) -> None:
    for name in "abc":
        mlflow.post("/experiments/create", name=name)
    found, token = [], None
    while True:
        page = mlflow.post("/experiments/search", max_results=1, page_token=token, order_by=["name DESC"])
        found += [each["name"] for each in page["experiments"]]
        token = page.get("next_page_token")
        if not token:
            break
    assert found == ["c", "b", "a", "Default"]
    assert (
        mlflow.get("/experiments/search", max_results=2, filter="name LIKE 'a%'")["experiments"][0]["name"]
        == "a"
    )


def test_a_run_ends_goes_on_and_ends_again(mlflow: Mlflow) -> None:
    run = mlflow.run(run_name="first", start_time=5, user_id="me")
    info = mlflow.post("/runs/update", run_id=run, status="FAILED", end_time=9, run_name="second")["run_info"]
    assert (info["status"], info["end_time"], info["run_name"], info["user_id"]) == (
        "FAILED",
        9,
        "second",
        "me",
    )
    assert mlflow.post("/runs/update", run_uuid=run, status=1)["run_info"]["status"] == "RUNNING"
    assert "end_time" not in mlflow.get("/runs/get", run_id=run)["run"]["info"]
    assert mlflow.refusal("POST", "/runs/update", json={"run_id": run, "end_time": 3})[0] == 400
    assert (
        mlflow.post("/runs/update", run_id=run, status="FINISHED", end_time=11)["run_info"]["end_time"] == 11
    )
    assert mlflow.post("/runs/update", run_id=run, end_time=12)["run_info"]["end_time"] == 12


@pytest.mark.parametrize("status", ["RUNNING", "SCHEDULED"])
def test_a_client_that_resumes_a_run_sends_its_old_end_with_it(mlflow: Mlflow, status: str) -> None:
    run = mlflow.run()
    mlflow.post("/runs/update", run_id=run, status="FINISHED", end_time=9)
    for _ in "12":
        info = mlflow.post("/runs/update", run_id=run, status=status, end_time=9)["run_info"]
        assert (info["status"], info.get("end_time")) == ("RUNNING", None)


def test_a_name_that_is_too_long_is_cut_like_every_tag(mlflow: Mlflow) -> None:
    name = "x" * 9000
    given = [{"run_name": name}, {"tags": [{"key": "mlflow.runName", "value": name}], "run_name": name}]
    for body in given:
        run = mlflow.run(**body)
        assert mlflow.get("/runs/get", run_id=run)["run"]["info"]["run_name"] == name[:8000]
    info = mlflow.post("/runs/update", run_id=run, run_name=name)["run_info"]
    assert info["run_name"] == name[:8000]


def test_no_experiments_are_no_runs(mlflow: Mlflow) -> None:
    mlflow.run()
    assert mlflow.post("/runs/search", experiment_ids=[]) == {}
    assert len(mlflow.post("/runs/search", experiment_ids=["0"])["runs"]) == 1


def test_histories_are_in_order_of_time_and_sampled_evenly(mlflow: Mlflow) -> None:
    runs = [mlflow.run(), mlflow.run()]
    for run in runs:
        points = [{"key": "m", "value": step, "timestamp": 1000 - step, "step": step} for step in range(10)]
        mlflow.post("/runs/log-batch", run_id=run, metrics=points)
    whole = mlflow.get("/metrics/get-history", run_id=runs[0], metric_key="m")["metrics"]
    assert [point["step"] for point in whole] == list(range(9, -1, -1))
    page = mlflow.get("/metrics/get-history", run_id=runs[0], metric_key="m", max_results=4)
    rest = mlflow.get(
        "/metrics/get-history", run_id=runs[0], metric_key="m", page_token=page["next_page_token"]
    )
    assert page["metrics"] + rest["metrics"] == whole
    bulk = mlflow.get("/metrics/get-history-bulk", run_id=[*runs, "nobody"], metric_key="m", max_results=15)
    assert [point["run_id"] for point in bulk["metrics"]] == [min(runs)] * 10 + [max(runs)] * 5
    asked = {"run_ids": runs, "metric_key": "m", "max_results": 4}
    sample = mlflow.get("/metrics/get-history-bulk-interval", **asked)["metrics"]
    assert [point["step"] for point in sample] == [0, 3, 6, 9] * 2
    few = mlflow.get("/metrics/get-history-bulk-interval", **asked, start_step=2, end_step=4)["metrics"]
    assert [point["step"] for point in few] == [2, 3, 4] * 2
    one = mlflow.get("/metrics/get-history-bulk-interval", **{**asked, "max_results": 1})["metrics"]
    assert [point["step"] for point in one] == [9, 9]


def test_files_go_up_are_listed_come_down_and_go_away(mlflow: Mlflow) -> None:
    run = mlflow.run()
    content = bytes(range(256)) * 20_000
    for path in ("a.txt", "deep/b.bin", "deep/er/c%C3%A4%20d.txt"):
        assert mlflow.client.put(f"{FILES}/0/{run}/artifacts/{path}", content=content).status_code == 200
    top = mlflow.get("/artifacts/list", run_id=run)
    assert top["root_uri"] == f"mlflow-artifacts:/0/{run}/artifacts"
    assert top["files"] == [
        {"path": "a.txt", "is_dir": False, "file_size": len(content)},
        {"path": "deep", "is_dir": True},
    ]
    assert [each["path"] for each in mlflow.get("/artifacts/list", run_id=run, path="deep")["files"]] == [
        "deep/b.bin",
        "deep/er",
    ]
    below = mlflow.client.get(FILES, params={"path": f"0/{run}/artifacts/deep/er"}).json()
    assert [each["path"] for each in below["files"]] == ["cä d.txt"]
    down = mlflow.client.get(f"{FILES}/0/{run}/artifacts/deep/er/c%C3%A4%20d.txt")
    assert down.content == content
    assert down.headers["content-disposition"].startswith("attachment;")
    assert down.headers["x-content-type-options"] == "nosniff"
    assert mlflow.client.get("/get-artifact", params={"run_uuid": run, "path": "a.txt"}).content == content
    assert mlflow.refusal("GET", f"{FILES}/0/{run}/artifacts/deep")[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert mlflow.client.delete(f"{FILES}/0/{run}/artifacts/deep").status_code == 200
    assert mlflow.client.delete(f"{FILES}/0/{run}/artifacts").status_code == 200
    assert "files" not in mlflow.get("/artifacts/list", run_id=run)


def test_taking_a_file_away_again_is_no_error(mlflow: Mlflow) -> None:
    run = mlflow.run()
    file = f"{FILES}/0/{run}/artifacts/a.txt"
    assert mlflow.client.put(file, content=b"x").status_code == 200
    for _ in "12":
        assert mlflow.client.delete(file).status_code == 200
    assert mlflow.client.delete(f"{FILES}/0/{run}/artifacts/folder/").status_code == 200
    assert mlflow.refusal("GET", file)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    assert mlflow.refusal("DELETE", f"{FILES}/0/nobody/artifacts/a.txt")[:2] == (
        404,
        "RESOURCE_DOES_NOT_EXIST",
    )


@pytest.mark.parametrize("folder", ["./plots", "plots/.", "./plots/", "./././plots"])
def test_a_folder_that_is_asked_for_by_its_relative_path_is_listed(mlflow: Mlflow, folder: str) -> None:
    run = mlflow.run()
    assert mlflow.client.put(f"{FILES}/0/{run}/artifacts/plots/a.txt", content=b"x").status_code == 200
    assert mlflow.get("/artifacts/list", run_id=run, path=folder)["files"][0]["path"] == "plots/a.txt"
    below = mlflow.client.get(FILES, params={"path": f"0/{run}/artifacts/{folder}"}).json()
    assert below == {"files": [{"path": "a.txt", "is_dir": False, "file_size": 1}]}
    assert mlflow.refusal("GET", "/artifacts/list", params={"run_id": run, "path": "./.."})[0] == 400
    for top in ("", ".", "./", "/"):
        assert mlflow.get("/artifacts/list", run_id=run, path=top)["files"] == [
            {"path": "plots", "is_dir": True}
        ]


PATHS = [
    "..", "../x", "a/../../b", "a//b", "%2e/a", "a/%2e", "a%2f", "%2e%2e/x", "%2e%2e%2fx", "a%5cb", "a%0ab", "a%7f",
    "x" * 256, "/".join(["y" * 100] * 11),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (method, path)
        for method in ("GET", "PUT", "DELETE")
        for path in PATHS
        if (method, path) != ("DELETE", "a%2f")
    ],
)
def test_a_path_that_is_none_is_refused(mlflow: Mlflow, method: str, path: str) -> None:
    run = mlflow.run()
    target = f"http://127.0.0.1:8500{FILES}/0/{run}/artifacts/{path}"
    # The client would tidy the path up before it sends it.
    request = mlflow.client.build_request(
        method, "http://127.0.0.1:8500/", content=b"x" if method == "PUT" else None
    )
    request.url = request.url.copy_with(raw_path=target.partition("8500")[2].encode())
    answer = mlflow.client.send(request)
    assert answer.status_code in (400, 404), answer.text
    assert answer.json()["error_code"] in (
        "INVALID_PARAMETER_VALUE",
        "RESOURCE_DOES_NOT_EXIST",
        "ENDPOINT_NOT_FOUND",
    )
    assert "files" not in mlflow.get("/artifacts/list", run_id=run)


def test_files_of_another_experiment_are_not_there(mlflow: Mlflow) -> None:
    run = mlflow.run()
    other = mlflow.post("/experiments/create", name="other")["experiment_id"]
    for owner in (f"{other}/{run}/artifacts/a", f"{other}/models/{run}/artifacts/a", "0/nobody/artifacts/a"):
        assert mlflow.refusal("PUT", f"{FILES}/{owner}", content=b"x")[:2] == (404, "RESOURCE_DOES_NOT_EXIST")
    for nowhere in ("a", "0/a", "0/models/a", "0/models/a/b/c"):
        assert mlflow.refusal("PUT", f"{FILES}/{nowhere}", content=b"x")[:2] == (
            400,
            "INVALID_PARAMETER_VALUE",
        )
    mlflow.post("/runs/delete", run_id=run)
    assert mlflow.refusal("PUT", f"{FILES}/0/{run}/artifacts/a", content=b"x")[:2] == (
        400,
        "INVALID_PARAMETER_VALUE",
    )


def test_a_logged_model_lives_through_its_changes(mlflow: Mlflow) -> None:
    run = mlflow.run()
    made = mlflow.post(
        "/logged-models", experiment_id="0", name="m", model_type="t", source_run_id=run,
        params=[{"key": "a", "value": "1"}], tags=[{"key": "b", "value": "2"}],
    )["model"]["info"]  # fmt: skip
    model, path = made["model_id"], f"/logged-models/{made['model_id']}"
    assert (made["status"], made["source_run_id"]) == ("LOGGED_MODEL_PENDING", run)
    assert made["artifact_uri"] == f"mlflow-artifacts:/0/models/{model}/artifacts"
    mlflow.client.put(f"{FILES}/0/models/{model}/artifacts/MLmodel", content=b"hello")
    mlflow.post(f"{path}/params", params=[{"key": "c", "value": "3"}])
    tags = mlflow.client.patch(f"{API}{path}/tags", json={"tags": [{"key": "d/e", "value": "4"}]})
    assert {"key": "d/e", "value": "4"} in tags.json()["model"]["info"]["tags"]
    assert mlflow.client.request("DELETE", f"{API}{path}/tags/d/e").status_code == 200
    assert mlflow.refusal("DELETE", f"{path}/tags/d/e")[1] == "RESOURCE_DOES_NOT_EXIST"
    ended = mlflow.client.patch(API + path, json={"model_id": model, "status": "LOGGED_MODEL_READY"}).json()
    assert ended["model"]["info"]["status"] == "LOGGED_MODEL_READY"
    assert mlflow.refusal("PATCH", path, json={"status": 9})[1] == "INVALID_PARAMETER_VALUE"
    listed = mlflow.get(f"{path}/artifacts/directories")
    assert listed["files"] == [{"path": "MLmodel", "is_dir": False, "file_size": 5}]
    file = {"artifact_file_path": "MLmodel"}
    assert mlflow.client.get(f"/ajax-api/2.0/mlflow{path}/artifacts/files", params=file).content == b"hello"
    mlflow.client.request("DELETE", API + path, json={"model_id": model})
    assert mlflow.refusal("GET", path)[1] == "RESOURCE_DOES_NOT_EXIST"
    assert mlflow.get(path, allow_deleted="true")["model"]["data"]["params"][0] == {"key": "a", "value": "1"}


def test_logged_models_are_found_by_what_they_reached_on_data(mlflow: Mlflow) -> None:
    run = mlflow.run()
    names = {}
    for name, train, trial in (("a", 0.9, 0.5), ("b", 0.8, 0.7), ("c", 0.7, None)):
        made = mlflow.post("/logged-models", experiment_id="0", name=name)["model"]["info"]["model_id"]
        names[made] = name
        for data, value in (("train", train), ("trial", trial)):
            if value is not None:
                mlflow.post(
                    "/runs/log-metric", run_id=run, key="acc", value=value, timestamp=1, step=0,
                    model_id=made, dataset_name=data, dataset_digest="d",
                )  # fmt: skip

    def found(**words: object) -> list[str]:
        models = mlflow.post("/logged-models/search", experiment_ids=["0"], **words).get("models", [])
        return [each["info"]["name"] for each in models]

    def order(data: str, ascending: bool) -> list[dict[str, object]]:
        return [{"field_name": "metrics.acc", "ascending": ascending, "dataset_name": data}]

    assert found(datasets=[{"dataset_name": "trial"}], order_by=[{"field_name": "name"}]) == ["a", "b"]
    assert found(datasets=[{"dataset_name": "trial", "dataset_digest": "x"}]) == []
    assert found(datasets=[{"dataset_name": "trial"}], filter="metrics.acc > 0.6") == ["b"]
    assert found(datasets=[{"dataset_name": "train"}], filter="metrics.acc >= 0.8 AND name != 'b'") == ["a"]
    assert found(order_by=order("trial", ascending=True)) == ["a", "b", "c"]
    assert found(order_by=order("trial", ascending=False)) == ["b", "a", "c"]
    assert found(order_by=order("train", ascending=True), max_results=2) == ["c", "b"]
    page = mlflow.post(
        "/logged-models/search", experiment_ids=["0"], order_by=order("train", ascending=True), max_results=2
    )
    rest = found(order_by=order("train", ascending=True), page_token=page["next_page_token"])
    assert rest == ["a"]
    assert found(order_by=[{"field_name": "metrics.acc", "ascending": False}], max_results=1) == ["a"]


def test_a_page_of_logged_models_holds_as_many_as_one_of_runs(mlflow: Mlflow) -> None:
    mlflow.post("/logged-models", experiment_id="0", name="m")
    for path in ("/logged-models/search", "/runs/search"):
        mlflow.post(path, experiment_ids=["0"], max_results=50_000)
        assert mlflow.refusal("POST", path, json={"experiment_ids": ["0"], "max_results": 50_001})[0] == 400


def test_data_of_runs_is_told_once(mlflow: Mlflow) -> None:
    data = {"name": "rows", "digest": "d", "source_type": "local", "source": "{}", "schema": "{}"}
    for context in ("training", "training", "trial"):
        run = mlflow.run()
        uses = [{"dataset": data, "tags": [{"key": "mlflow.data.context", "value": context}]}]
        mlflow.post("/runs/log-inputs", run_id=run, datasets=uses, models=[{"model_id": "m-1"}])
        other = [{"dataset": {**data, "source": "changed"}, "tags": []}]
        mlflow.post("/runs/log-inputs", run_id=run, datasets=other)
    told = mlflow.get("/runs/get", run_id=run)["run"]["inputs"]
    assert told["dataset_inputs"][0]["dataset"] == data
    assert told["model_inputs"] == [{"model_id": "m-1"}]
    summaries = mlflow.post("/experiments/search-datasets", experiment_ids=["0"])["dataset_summaries"]
    assert sorted(each["context"] for each in summaries) == ["training", "trial"]
