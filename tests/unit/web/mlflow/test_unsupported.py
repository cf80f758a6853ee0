"""What is not spoken is told in MLflow's words, and the documentation's list is the live one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from parts.mlflow_caller import Mlflow
from parts.page import asked
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.testing.memory_store import memory_store
from trimtab.tracking.tracking import open_tracking
from trimtab.web.mlflow.route_list import mlflow_routes
from trimtab.web.mlflow.unsupported import FEATURES, unsupported_routes

DOCS = Path(__file__).resolve().parents[4] / "docs" / "mlflow.md"
PROTOBUF = {"content-type": "application/x-protobuf"}
CALLS = sorted({(route.method, route.path) for route in unsupported_routes()})


@pytest.fixture(scope="module")
def mlflow() -> Iterator[Mlflow]:
    """One for all of them: nothing is written here."""
    with asked(memory_store()) as client:
        yield Mlflow(client)


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_each_is_refused_in_words_of_mlflow(mlflow: Mlflow, method: str, path: str) -> None:
    plain = re.sub(r"{[^}]*}", "x", path)
    answer = mlflow.client.request(
        method, plain, content=b"\x0a\x01", headers={"content-type": "application/x-protobuf"}
    )
    assert answer.status_code == 501
    assert answer.json()["error_code"] == "NOT_IMPLEMENTED"
    assert "Trimtab does not support" in answer.json()["message"]
    assert "docs/mlflow.md" in answer.json()["message"]


def test_words_that_the_client_looks_for_come_first(mlflow: Mlflow) -> None:
    """The client falls back to plain uploads, and stops sending spans, where it finds its own words."""
    from mlflow.exceptions import _UnsupportedMultipartUploadException

    said = mlflow.refusal("POST", "/api/2.0/mlflow-artifacts/mpu/create/0/a/artifacts", json={"path": "x"})[2]
    assert said.startswith(_UnsupportedMultipartUploadException.MESSAGE)
    spans = mlflow.client.post("/v1/traces", content=b"", headers=PROTOBUF).json()["message"]
    assert "REST OTLP span logging is not supported" in spans


def test_the_documentation_lists_exactly_these() -> None:
    listed = set(
        re.findall(r"^\| `(GET|POST|PUT|PATCH|DELETE) (/\S*)` \|", DOCS.read_text(encoding="utf-8"), re.M)
    )
    live = {_whole(feature.prefixes[0], call) for feature in FEATURES for call in feature.calls}
    assert listed == live


def _whole(prefix: str, call: str) -> tuple[str, str]:
    method, path = call.split(" ")
    return method, prefix + path


def test_every_call_of_the_client_is_answered_or_listed() -> None:
    """Taken from the client's own protocol, so that a new release of it shows what is new."""
    from mlflow.protos.databricks_pb2 import rpc
    from mlflow.protos.mlflow_artifacts_pb2 import MlflowArtifactsService
    from mlflow.protos.model_registry_pb2 import ModelRegistryService
    from mlflow.protos.service_pb2 import MlflowService
    from mlflow.protos.webhooks_pb2 import WebhookService

    routes = mlflow_routes(open_tracking(memory_store(), MemoryRunIndex()))
    known = {(route.method, _bare(route.path)) for route in routes}
    unknown = []
    for service in (MlflowService, MlflowArtifactsService, ModelRegistryService, WebhookService):
        for method in service.DESCRIPTOR.methods:
            for endpoint in method.GetOptions().Extensions[rpc].endpoints:
                path = "/" + endpoint.path.lstrip("/")
                versions = ("2", "3") if endpoint.since.major == 2 else ("3",)
                if not any((endpoint.method, _bare(f"/api/{each}.0{path}")) in known for each in versions):
                    unknown.append((endpoint.method, path))
    assert unknown == []


def _bare(path: str) -> str:
    return re.sub(r"{[^}]*}|<[^>]*>", "*", path)
