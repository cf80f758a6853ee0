"""`trimtab up` on tables that nobody tuned for: served, right shapes, page shown, and it goes on where it stood."""

import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def trimtab(folder: Path, *arguments: str) -> str:
    """Run a command in a folder; it must end well."""
    done = subprocess.run(
        [sys.executable, "-m", "trimtab", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[tuple[str, str]]:
    """`trimtab up --detach`; gives the addresses of the page and of the predictions."""
    page, plane = free_port(), free_port()
    ports = ["--port", str(page), "--serve-port", str(plane)]
    trimtab(folder, "up", *arguments, "--detach", *ports)
    try:
        yield f"http://127.0.0.1:{page}", f"http://127.0.0.1:{plane}"
    finally:
        trimtab(folder, "down")


def ask(address: str, body: Any = None) -> tuple[int, Any]:
    """GET, or POST where there is a body; returns status and JSON (or text)."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, content, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            status, text = reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    return status, json.loads(text) if text.startswith(("{", "[")) else text


TABLES: dict[str, tuple[pd.DataFrame, int]] = {
    "breast_cancer": (load_breast_cancer(as_frame=True).frame, 2),
    "diabetes": (load_diabetes(as_frame=True).frame, 0),
    "wine": (load_wine(as_frame=True).frame, 3),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_served_and_watched(tmp_path: Path, name: str) -> None:
    table, classes = TABLES[name]
    table.to_csv(tmp_path / f"{name}.csv", index=False)
    rows = json.loads(table.drop(columns="target").head(3).to_json(orient="records"))
    with running(tmp_path, f"{name}.csv", "--target", "target") as (page, plane):
        status, answer = ask(f"{plane}/predict/target", {"rows": rows, "request_id": "first"})
        assert status == 200, answer
        assert len(answer["predictions"]) == 3
        assert answer["model_version"] == "1"
        assert answer["request_id"] == "first"
        if classes:
            assert answer["classes"] == list(range(classes))
            assert [round(sum(row), 5) for row in answer["probabilities"]] == [1.0] * 3
        else:
            assert "probabilities" not in answer
        truth = json.loads(table["target"].head(1).to_json(orient="values"))[0]
        status, told = ask(
            f"{plane}/outcomes/target", {"outcomes": [{"request_id": "first", "value": truth}]}
        )
        assert (status, told) == (200, {"accepted": 1})
        status, problem = ask(f"{plane}/predict/target", {"rows": [{"mean": 1}]})
        assert status == 422
        assert problem["status"] == 422
        status, shown = ask(f"{page}/")
        assert status == 200
        assert "target" in shown


def test_a_second_start_goes_on_where_the_first_stood(tmp_path: Path) -> None:
    TABLES["wine"][0].to_csv(tmp_path / "wine.csv", index=False)
    rows = json.loads(TABLES["wine"][0].drop(columns="target").head(1).to_json(orient="records"))
    answers = []
    for arguments in (["wine.csv", "--target", "target"], []):
        with running(tmp_path, *arguments) as (_, plane):
            status, answer = ask(f"{plane}/predict/target", {"rows": rows})
            assert status == 200
            answers.append((answer["probabilities"], answer["model_version"]))
    assert answers[0] == answers[1]
    models = json.loads(trimtab(tmp_path, "models", "--json"))
    assert len(models["models"]["target"]["versions"]) == 1
