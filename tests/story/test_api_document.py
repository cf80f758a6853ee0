"""The API's document is true: a server is asked whatever the document allows, and what it does not, and keeps to it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from parts.control import Control, control
from trimtab.adapters.local_store import open_store
from trimtab.assembly.upkeep.fsck import fsck
from trimtab.testing.example_year import example_year
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.testing.memory_store import memory_store
from trimtab.tracking.tracking import open_tracking
from trimtab.web.mlflow.route_list import mlflow_routes
from trimtab.web.mlflow.unsupported import unsupported_routes
from trimtab.web.openapi import PATH, document

TRUE = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "negative_data_rejection"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Control]:
    """A control plane over a project with a loop behind it and a run."""
    store = open_store(tmp_path / "project" / ".trimtab")
    example_year(store, days=20)
    store.close()
    with control(tmp_path / "project") as running:
        begun = httpx2.post(f"{running.address}/api/v1/runs", json={"experiment": "flights"})
        assert begun.status_code == 200
        yield running


def fuzzed(where: str, *more: str, checks: str = TRUE, seconds: int) -> int:
    """Run schemathesis; returns how many requests it made up.

    Raises:
        AssertionError: It found something, in its words.
    """
    program = Path(sys.executable).with_name("schemathesis")
    always = ["-c", checks, "--seed", "7", "--max-response-time", "2", "--continue-on-failure"]
    ran = subprocess.run(
        [program, "run", where, *always, *more],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        cwd=Path(where).parent if where.startswith("/") else None,
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    made = re.search(r"([\d,]+) generated", ran.stdout)
    assert made is not None, ran.stdout[-2000:]
    return int(made[1].replace(",", ""))


def require_whole(server: Control, project: Path) -> None:
    """Nothing of the server or of its store is broken afterwards."""
    assert httpx2.get(f"{server.address}/healthz").status_code == 200
    assert server.child.running()
    assert "Traceback" not in server.log, server.log[-4000:]
    store = open_store(project / ".trimtab")
    try:
        found = fsck(store)
    finally:
        store.close()
    assert found.sound, found


def test_the_server_answers_as_the_document_says(server: Control, tmp_path: Path) -> None:
    made = fuzzed(
        f"{server.address}{PATH}", "--phases", "fuzzing,stateful", "-n", "8", "--no-shrink", seconds=240
    )
    assert made >= 250
    require_whole(server, tmp_path / "project")


def foreign_document(path: Path) -> Path:
    """What MLflow's protocol takes here, as a document: its routes are documented elsewhere, in words."""
    tracking = open_tracking(memory_store(), MemoryRunIndex())
    unspoken = {(route.method, route.path) for route in unsupported_routes()}
    routes = [
        replace(route, documented=True, answer=dict[str, Any])
        for route in mlflow_routes(tracking)
        if route.path.startswith("/api/") and (route.method, route.path) not in unspoken
    ]
    assert len(routes) > 40
    path.write_text(json.dumps(document(routes)), encoding="utf-8")
    return path


def test_whatever_comes_in_mlflows_protocol_is_answered(server: Control, tmp_path: Path) -> None:
    written = foreign_document(tmp_path / "mlflow.json")
    made = fuzzed(
        str(written),
        *("--url", server.address, "--phases", "fuzzing", "-n", "3", "--no-shrink"),
        checks="not_a_server_error",
        seconds=240,
    )
    assert made >= 150
    require_whole(server, tmp_path / "project")


@pytest.mark.slow
def test_twenty_thousand_requests(server: Control, tmp_path: Path) -> None:
    made = fuzzed(
        f"{server.address}{PATH}", "--phases", "coverage,fuzzing,stateful", "-n", "300", seconds=3600
    )
    written = foreign_document(tmp_path / "mlflow.json")
    made += fuzzed(
        str(written),
        *("--url", server.address, "--phases", "coverage,fuzzing", "-n", "150"),
        checks="not_a_server_error",
        seconds=3600,
    )
    assert made >= 20_000
    require_whole(server, tmp_path / "project")
