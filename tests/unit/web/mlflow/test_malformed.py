"""Whatever a route of MLflow's protocol is sent, it answers in MLflow's shape, and never with an error of its own."""

import itertools
import json
import random
from typing import Any

import msgspec
import pytest

from parts.mlflow_caller import Mlflow
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.testing.memory_store import memory_store
from trimtab.tracking.tracking import open_tracking
from trimtab.web.mlflow.route_list import mlflow_routes
from trimtab.web.mlflow.unsupported import unsupported_routes
from trimtab.web.route import Route

NOT_THERE = {(route.method, route.path) for route in unsupported_routes()}
ROUTES = [
    route
    for route in mlflow_routes(open_tracking(memory_store(), MemoryRunIndex()))
    if (route.method, route.path) not in NOT_THERE and not route.path.startswith("/ajax")
]
ODD: list[Any] = [
    None, "", "x", "0", "\ud800", "\0", "../..", "a" * 9000, -1, 0, 2**63, 2**70, 1e308, True, [], [None], [1], ["x"],
    [{}], [[]], {}, {"key": None}, [{"key": "k"}], [{"key": "k", "value": "v"}], [{"key": 1}], "NaN", "Infinity",
    [{"dataset": {}}], [{"model_id": ""}], [{"field_name": "metrics.a"}], [{"dataset_name": ""}], "0" * 40,
    "metrics.a < ", "a = 'b'", "ALL", "FINISHED", "LOGGED_MODEL_READY",
]  # fmt: skip
BODIES = [
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"1",
    b"{",
    b"{}}",
    b'{"a":NaN}',
    b"\xff",
    b'{"a":"\xff"}',
    b"[" * 5000,
]
KINDS = ("application/json", "text/plain", "application/x-www-form-urlencoded")


def fields(shape: type[msgspec.Struct] | None) -> list[str]:
    """What a body or a query may hold."""
    return [] if shape is None else [field.encode_name for field in msgspec.structs.fields(shape)]


def sent(mlflow: Mlflow, route: Route, known: str, **words: Any) -> None:
    """Send a request; the answer must be a success, or a refusal in MLflow's shape."""
    path = route.path
    for name in ("{model}", "{path:path}", "{key:path}"):
        path = path.replace(name, known)
    answer = mlflow.client.request(route.method, path, **words)
    assert answer.status_code < 500, (route.method, route.path, words, answer.text)
    if answer.status_code >= 400:
        told = answer.json()
        assert told["error_code"].isupper()
        assert told["message"]
        assert "defect" not in told["message"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_odd_values_are_answered(mlflow: Mlflow, route: Route) -> None:
    run = mlflow.run()
    model = mlflow.post("/logged-models", experiment_id="0")["model"]["info"]["model_id"]
    good = {
        "run_id": run,
        "experiment_id": "0",
        "experiment_ids": ["0"],
        "run_ids": [run],
        "key": "k",
        "metric_key": "k",
    }
    names = fields(route.body)
    shuffled = random.Random(route.path)
    for name, odd in itertools.product(names, ODD):
        body = {**{key: value for key, value in good.items() if key in names}, name: odd}
        if shuffled.random() < 0.3:
            body[shuffled.choice(names)] = shuffled.choice(ODD)
        text = json.dumps(body).encode()
        sent(mlflow, route, model, content=text, headers={"content-type": "application/json"})
    for name, odd in itertools.product(
        fields(route.query), [each for each in ODD if isinstance(each, str | int)]
    ):
        value = "\ufffd" if odd == "\ud800" else odd
        query = {key: kept for key, kept in good.items() if key in fields(route.query)}
        sent(mlflow, route, model, params={**query, name: value})
    for known in (model, run, "nope", "a%00b", "%ff", "..%2f..", "x" * 3000):
        sent(mlflow, route, known)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_bodies_that_are_none_are_answered(mlflow: Mlflow, route: Route) -> None:
    for body, kind in itertools.product(
        BODIES, ("application/json", "text/plain", "application/x-www-form-urlencoded")
    ):
        sent(mlflow, route, "nope", content=body, headers={"content-type": kind})
