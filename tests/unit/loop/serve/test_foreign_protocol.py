"""The Open Inference Protocol and MLflow's scoring protocol give the answers that `/predict` gives."""

import pytest

ROWS = [{"distance": 12.5, "carrier": "UA", "stops": 2}, {"distance": None, "carrier": "AA", "stops": 0}]
TENSORS = [
    {"name": "distance", "shape": [2], "datatype": "FP64", "data": [12.5, None]},
    {"name": "carrier", "shape": [2, 1], "datatype": "BYTES", "data": ["UA", "AA"]},
    {"name": "stops", "shape": [2, 1], "datatype": "INT64", "data": [[2], [0]]},
]


@pytest.fixture
def plane(shop):
    shop.plan(shop.bundle(), 3)
    return shop.plane()


@pytest.fixture
def wanted(plane, client):
    return client(plane, "POST", "/predict/late", {"rows": ROWS}).json


def test_infer_answers_by_tensors(plane, client, wanted):
    told = client(plane, "POST", "/v2/models/late/infer", {"id": "r1", "inputs": TENSORS})
    assert told.json == {
        "model_name": "late",
        "model_version": "3",
        "id": "r1",
        "outputs": [
            {"name": "predictions", "datatype": "BOOL", "shape": [2], "data": wanted["predictions"]},
            {
                "name": "probabilities",
                "datatype": "FP64",
                "shape": [2, 2],
                "data": [p for row in wanted["probabilities"] for p in row],
            },
        ],
    }


def test_infer_needs_no_content_type_and_picks_outputs(plane, client):
    body = {"inputs": TENSORS, "outputs": [{"name": "predictions", "parameters": {"binary_data": True}}]}
    told = client(plane, "POST", "/v2/models/late/infer", body, headers={"content-type": ""})
    assert [output["name"] for output in told.json["outputs"]] == ["predictions"]


def test_a_version_is_asked_by_its_number(plane, client):
    body = {"inputs": TENSORS}
    assert client(plane, "POST", "/v2/models/late/versions/3/infer", body).json["model_version"] == "3"
    assert client(plane, "POST", "/v2/models/late/versions/2/infer", body).status == 404


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [3]},
        {"shape": []},
        {"shape": [1, 2]},
        {"datatype": "FP128"},
        {"datatype": "BOOL"},
        {"data": [1.0]},
        {"data": ["x", "y"]},
        {"name": "carrier"},
        {"name": "elsewhere"},
    ],
)
def test_a_tensor_that_does_not_fit_is_refused_in_the_protocols_words(plane, client, change):
    told = client(plane, "POST", "/v2/models/late/infer", {"inputs": [TENSORS[0] | change, *TENSORS[1:]]})
    assert told.status == 422
    assert told.json["error"] == told.json["detail"]


def test_binary_tensors_are_refused_with_a_way_out(plane, client):
    headers = {"inference-header-content-length": "10", "content-type": "application/octet-stream"}
    told = client(plane, "POST", "/v2/models/late/infer", b"0123456789", headers=headers)
    assert told.status == 415
    assert "JSON" in told.json["error"]


def test_metadata_says_what_goes_in_and_out(plane, client):
    metadata = client(plane, "GET", "/v2/models/late").json
    assert metadata["inputs"][1] == {"name": "carrier", "datatype": "BYTES", "shape": [-1]}
    assert [output["name"] for output in metadata["outputs"]] == ["predictions", "probabilities"]
    assert metadata["versions"] == ["3"]
    for path in (
        "/v2",
        "/v2/models/late/ready",
        "/v2/models/late/versions/3",
        "/v2/models/late/versions/3/ready",
    ):
        assert client(plane, "GET", path).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_records": ROWS},
        {"dataframe_split": {"columns": list(ROWS[0]), "data": [list(row.values()) for row in ROWS]}},
        {"instances": ROWS},
        {"instances": [list(row.values()) for row in ROWS]},
        {"inputs": {name: [row[name] for row in ROWS] for name in ROWS[0]}},
        {"inputs": ROWS},
    ],
)
def test_invocations_take_mlflows_forms(plane, client, wanted, body):
    told = client(plane, "POST", "/invocations", body)
    assert told.json["predictions"] == wanted["predictions"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"instances": ROWS, "inputs": ROWS},
        {"instances": ROWS, "params": {"a": 1}},
        {"instances": [[1]]},
        {"inputs": {"distance": [1], "stops": [1, 2]}},
        {"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}},
        {"dataframe_split": {"columns": ["a"], "data": [3]}},
    ],
)
def test_invocations_that_cannot_be_told_are_refused(plane, client, body):
    assert client(plane, "POST", "/invocations", body).status == 422


def test_of_several_models_one_is_named_in_a_header(shop, client):
    for model in ("late", "other"):
        shop.plan(shop.bundle(model=model), model=model)
    plane = shop.plane()
    assert client(plane, "POST", "/invocations", {"instances": ROWS}).status == 422
    headers = {"x-trimtab-model": "other"}
    assert client(plane, "POST", "/invocations", {"instances": ROWS}, headers=headers).status == 200


def test_metrics_count_by_model_version_and_role(plane, client):
    client(plane, "POST", "/predict/late", {"rows": ROWS})
    client(plane, "POST", "/predict/late", {"rows": []})
    told = client(plane, "GET", "/metrics")
    assert told.headers["content-type"].startswith("text/plain")
    text = told.body.decode()
    labels = '{model="late",role="champion",version="3"}'
    for line in (
        f"trimtab_requests_total{labels} 1.0",
        f"trimtab_rows_total{labels} 2.0",
        'trimtab_latency_seconds_count{model="late",role="champion",version="3"} 1.0',
        'trimtab_refusals_total{model="late",status="422"} 1.0',
        "trimtab_ready 1.0",
    ):
        assert line in text


def test_head_gives_the_head_alone(plane, client):
    told = client(plane, "HEAD", "/v2/health/live")
    assert (told.status, told.body) == (200, b"")
