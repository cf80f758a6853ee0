"""Whatever a route of MLflow's protocol is sent, it answers in MLflow's shape, and never with an error of its own."""

import asyncio
import itertools
import json
import random
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from parts.asgi import ask
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


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One for all requests of this module."""
    opened = asyncio.new_event_loop()
    yield opened
    opened.close()


class Sender:
    """Sends to a route, without a client between: there are thousands of requests."""

    def __init__(self, mlflow: Mlflow, route: Route, loop: asyncio.AbstractEventLoop) -> None:
        self._application, self._route, self._loop = mlflow.client.app, route, loop

    def send(
        self, known: str, body: bytes = b"", kind: str = "", query: Mapping[str, Any] | None = None
    ) -> None:
        """Send a request; the answer must be a success, or a refusal in MLflow's shape."""
        method, path = self._route.method, self._route.path
        for name in ("{model}", "{path:path}", "{key:path}"):
            path = path.replace(name, known)
        headers = {"content-type": kind} if kind else {}
        asked = ask(self._application, method, path.encode(), headers, body, urlencode(query or {}).encode())
        answer = self._loop.run_until_complete(asked)
        assert 0 < answer.status < 500, (method, path, body, query, answer.body)
        if answer.status < 400:
            return
        told = json.loads(answer.body)
        assert told["error_code"].isupper()
        assert told["message"]
        assert "defect" not in told["message"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_odd_values_are_answered(mlflow: Mlflow, route: Route, loop: asyncio.AbstractEventLoop) -> None:
    sender = Sender(mlflow, route, loop)
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
        sender.send(model, json.dumps(body).encode(), "application/json")
    for name, odd in itertools.product(
        fields(route.query), [each for each in ODD if isinstance(each, str | int)]
    ):
        value = "\ufffd" if odd == "\ud800" else odd
        query = {key: kept for key, kept in good.items() if key in fields(route.query)}
        sender.send(model, query={**query, name: value})
    for known in (model, run, "nope", "a%00b", "%ff", "..%2f..", "x" * 3000):
        sender.send(known)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_bodies_that_are_none_are_answered(
    mlflow: Mlflow, route: Route, loop: asyncio.AbstractEventLoop
) -> None:
    sender = Sender(mlflow, route, loop)
    for body, kind in itertools.product(BODIES, KINDS):
        sender.send("nope", body, kind)
