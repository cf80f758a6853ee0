"""MLflow's registry by its own client, unchanged: registered, described, staged, aliased, loaded, copied, searched."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from parts.control import control

SCRIPT = Path(__file__).parent / "mlflow_registry_script.py"


def told(address: str, folder: Path) -> dict[str, Any]:
    """What the script printed."""
    environment = {**os.environ, "MLFLOW_TRACKING_URI": address, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(SCRIPT)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


#: What the script says of MLflow's own server (3.17), which a test marked slow asks; and these are the differences.
DIFFERENT = {
    # MLflow answers 500 where the caller is wrong.
    "archive": ("INTERNAL_ERROR", "INVALID_PARAMETER_VALUE"),
    "no model": ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"),
    # MLflow takes a version of a run that is not there.
    "no run": ("none", "RESOURCE_DOES_NOT_EXIST"),
}


def test_the_registry_answers_mlflows_client(tmp_path: Path) -> None:
    with control(tmp_path / "project") as plane:
        found = told(plane.address, tmp_path)
        assert "failed" not in plane.log, plane.log
    first, second, third = found["a model"]["made"]
    assert (first["version"], second["version"], third["version"]) == (1, 2, 3)
    assert (first["tags"], first["status"], first["run"]) == ({"k": "v"}, "READY", True)
    assert found["a model"]["loaded"] == {
        "models:/a model/1": [2, 4],
        "models:/a model/2": [3, 6],
        "models:/a model@champ": [2, 4],
        "models:/a model/Production": [2, 4],
        "models:/a model/latest": [2, 4],
    }
    one, two, three = found["a model"]["after"]
    assert (one["stage"], two["stage"], three["stage"]) == ("Archived", "None", "Production")
    assert (one["aliases"], one["tags"], two["tags"]) == (["champ", "other"], {}, {"u": "2"})
    assert (two["description"], found["a model"]["model"]["description"]) == ("of two", "said")
    assert found["a model"]["model"]["tags"] == {"t": "1"}
    assert "MLmodel" in found["a model"]["files"]
    assert found["copy"] == {"version": 1, "loaded": [8]}
    assert found["search"]["models"] == [["a model", "copied", "plain"], ["plain"], ["plain"]]
    assert found["search"]["pages"] == [["a model", "copied"], ["plain"]]
    assert found["search"]["versions"][0] == [["plain", 1], ["plain", 2], ["plain", 3]]
    assert found["gone"] == ["RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"]
    assert found["next"] == 4
    assert found["renamed"] == [["named", 2], ["named", 3], ["named", 4]]
    assert found["prompt"] == ["Hello {{who}}", "Hi {{who}}", ["greet"]]
    assert {name: found["codes"][name] for name in DIFFERENT} == {
        name: ours for name, (_, ours) in DIFFERENT.items()
    }
    assert "none" not in found["codes"].values()


@pytest.mark.slow
def test_mlflows_own_server_says_the_same(tmp_path: Path) -> None:
    with control(tmp_path / "project") as plane:
        ours = told(plane.address, tmp_path)
    theirs = told(f"sqlite:///{tmp_path}/mlflow.db", tmp_path)
    for name in DIFFERENT:
        ours["codes"].pop(name)
        theirs["codes"].pop(name)
    for name in ("local", "empty"):  # checked by the server alone
        ours["codes"].pop(name)
        theirs["codes"].pop(name)
    assert ours == theirs
