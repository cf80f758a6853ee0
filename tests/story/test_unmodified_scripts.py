"""Training scripts written for MLflow, in `unmodified/`, log to Trimtab: only MLFLOW_TRACKING_URI says where.

Lightning needs PyTorch, and skinny must be alone in its environment: each has one of its own, which a variable names.
"""

import json
import os
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from parts.control import control
from parts.mlflow_training import DOCUMENTED, printed
from parts.noting_proxy import noting_proxy

SCRIPTS = Path(__file__).with_name("unmodified")


@dataclass(frozen=True)
class Kept:
    """What a server has, asked by its own API."""

    address: str
    #: Of one experiment, by their names.
    runs: dict[str, Any]
    #: Registered models, by their names.
    models: dict[str, Any]
    #: The line with which the script told of its result.
    told: str

    def history(self, run: str, metric: str) -> tuple[list[int], list[float]]:
        """Steps and values."""
        found = asked(self.address, f"runs/{self.runs[run]['id']}/metrics/{urllib.parse.quote(metric)}")
        return found["steps"], found["values"]

    def files(self, run: str) -> set[str]:
        """Paths of a run's files."""
        return {file["path"] for file in asked(self.address, f"runs/{self.runs[run]['id']}/files")["files"]}

    def file(self, run: str, path: str) -> Any:
        """A file that holds JSON."""
        return asked(self.address, f"runs/{self.runs[run]['id']}/files/{urllib.parse.quote(path)}")

    def children(self, run: str) -> set[str]:
        """Names of the runs that were begun inside of one."""
        parent = self.runs[run]["id"]
        return {name for name, each in self.runs.items() if each["tags"].get("mlflow.parentRunId") == parent}

    def champion(self, model: str) -> dict[str, Any]:
        """The registered version that has the alias `champion`."""
        number = self.models[model]["aliases"]["champion"]
        [found] = [version for version in self.models[model]["versions"] if version["number"] == number]
        return dict(found)


def asked(address: str, path: str) -> Any:
    """What a path under /api/v1 answers."""
    with urllib.request.urlopen(f"{address}/api/v1/{path}", timeout=30) as answer:
        return json.load(answer)


@contextmanager
def trained(script: str, experiment: str, folder: Path, python: str = sys.executable) -> Iterator[Kept]:
    """A server to which a script has logged; nothing was refused to it but what is documented as not supported."""
    with control(folder / "project") as plane:
        with noting_proxy(plane.address) as notes:
            lines = printed(SCRIPTS / script, notes.address, folder / "work", python=python).splitlines()
        assert len(notes.calls) > 20, "the proxy saw the script"
        assert notes.failed() == set()
        assert notes.unanswered() <= DOCUMENTED
        assert notes.unknown() == set()
        told = next(line for line in lines if line.startswith("champion: "))
        runs = asked(plane.address, f"runs?limit=100&experiment={experiment}")["runs"]
        assert {run["status"] for run in runs} == {"FINISHED"}
        models = asked(plane.address, "models")["stored"]
        yield Kept(plane.address, {run["name"]: run for run in runs}, models, told)


def python_of(variable: str, packages: str) -> str:
    """The interpreter of an environment that is not this one."""
    if not (python := os.environ.get(variable)):
        pytest.skip(f"make an environment with `pip install {packages}`, and name its Python in {variable}")
    return python


def test_scikit_learn(tmp_path: Path) -> None:
    with trained("sklearn_training.py", "wine", tmp_path) as kept:
        assert kept.children("compare") == {"linear", "forest"}
        assert len(kept.children("forest")) == 4, "each point of the grid is a run in the search's run"
        linear, refitted = kept.runs["linear"], kept.runs["refitted"]
        assert kept.runs["compare"]["parameters"] == {"test_size": "0.3", "families": "['forest', 'linear']"}
        assert kept.runs["compare"]["tags"]["mlflow.note.content"] == "Which family is better?"
        assert linear["parameters"]["best_logisticregression__C"] in ("0.1", "1.0")
        assert {"best_cv_score", "training_accuracy_score", "test_accuracy"} <= linear["metrics"].keys()
        assert {each["name"] for each in linear["datasets"]} == {"dataset"}
        assert {"cv_results.csv", "report.json", "estimator.html"} <= kept.files("linear")
        told = kept.file("linear", "report.json")["accuracy"]
        assert told == linear["metrics"]["test_accuracy"]["value"]
        assert refitted["parameters"]["of"] == linear["id"]

        steps, losses = kept.history("by hand", "loss")
        assert steps == list(range(30))
        assert losses[-1] == kept.runs["by hand"]["metrics"]["loss"]["value"] < losses[0]
        assert kept.files("by hand") == {"notes/notes.txt"}
        assert kept.runs["by hand"]["parameters"]["loss"] == "log_loss"

        versions = kept.models["wine-kind"]["versions"]
        assert [version["number"] for version in versions] == [1, 2]
        assert [version["run"] for version in versions] == [refitted["id"], kept.runs["by hand"]["id"]]
        assert kept.champion("wine-kind")["source"] == f"models:/{refitted['models_out'][0]['model']}"
        assert kept.told == f"champion: linear, test accuracy {linear['metrics']['test_accuracy']['value']}"


def test_lightgbm(tmp_path: Path) -> None:
    with trained("lightgbm_training.py", "tumours", tmp_path) as kept:
        assert set(kept.runs) == {"boosted", "rate 0.05", "rate 0.3"}
        assert kept.children("boosted") == {"rate 0.05", "rate 0.3"}
        run = kept.runs["boosted"]
        wanted = {"learning_rate": "0.1", "num_leaves": "7", "metric": "['auc', 'binary_logloss']"}
        assert wanted.items() <= run["parameters"].items()
        assert kept.runs["rate 0.3"]["parameters"]["learning_rate"] == "0.3"
        assert run["tags"]["purpose"] == "screening"
        best, stopped = (int(run["metrics"][f"{word}_iteration"]["value"]) for word in ("best", "stopped"))
        assert stopped < 199, "it stopped early"
        for metric in ("train-auc", "train-binary_logloss", "valid-auc", "valid-binary_logloss"):
            steps, values = kept.history("boosted", metric)
            assert steps == list(range(stopped + 1))
            assert values[-1] == values[best - 1], "the last point is the one that was best"
        assert {"feature_importance_gain.json", "feature_importance_split.png"} <= kept.files("boosted")
        table = kept.file("boosted", "first.json")
        assert (table["columns"], len(table["data"])) == (["answer", "label"], 5)
        assert {each["name"] for each in run["datasets"]} == {"dataset", "train", "valid"}

        version = kept.champion("tumour-boosted")
        assert (version["number"], version["run"]) == (1, run["id"])
        assert version["source"] == f"models:/{run['models_out'][0]['model']}"
        auc = run["metrics"]["test_auc"]["value"]
        assert kept.told == f"champion: version 1, {stopped + 1} rounds, test auc {auc}"


@pytest.mark.slow
def test_lightning(tmp_path: Path) -> None:
    python = python_of("TRIMTAB_TEST_LIGHTNING_PYTHON", "mlflow pytorch-lightning")
    with trained("lightning_training.py", "curve", tmp_path, python) as kept:
        run = kept.runs["lightning"]
        wanted = {"width": "16", "rate": "0.05", "epochs": "5", "optimizer_name": "Adam", "lr": "0.05"}
        assert wanted.items() <= run["parameters"].items()
        for metric in ("train_loss", "val_loss"):
            steps, values = kept.history("lightning", metric)
            assert len(steps) == 5
            assert values[-1] < values[0]
        assert run["metrics"]["last_loss"]["value"] == pytest.approx(run["metrics"]["val_loss"]["value"])
        assert run["tags"]["kind"] == "regression"
        assert "model_summary.txt" in kept.files("lightning")
        assert [path for path in kept.files("lightning") if path.endswith(".pth")], "its checkpoints"
        assert kept.champion("curve")["run"] == run["id"]
        assert kept.told == f"champion: version 1 of run {run['id']}"


@pytest.mark.slow
def test_skinny(tmp_path: Path) -> None:
    skinny_tracking(tmp_path, python_of("TRIMTAB_TEST_SKINNY_PYTHON", "mlflow-skinny"))


def test_the_full_client_without_a_library(tmp_path: Path) -> None:
    skinny_tracking(tmp_path, sys.executable)


def skinny_tracking(folder: Path, python: str) -> None:
    """The script that logs without a library of machine learning, and what is kept of it."""
    with trained("skinny_tracking.py", "descent", folder, python) as kept:
        rates = {"rate 0.01", "rate 0.1", "rate 0.3"}
        assert set(kept.runs) == {"rates", "copied", *rates}
        assert kept.children("rates") == rates
        for name in rates:
            assert kept.runs[name]["parameters"] == {"rate": name.split()[1], "start": "4.0"}
            assert kept.files(name) == {"result/found.json", "notes/rate.txt"}
            steps, places = kept.history(name, "place")
            assert steps == list(range(40))
            assert kept.file(name, "result/found.json") == {"place": places[-1]}
        [best] = [name for name in rates if kept.runs[name]["tags"].get("best") == "yes"]
        assert min(rates, key=lambda name: kept.runs[name]["metrics"]["height"]["value"]) == best
        assert kept.history("copied", "height") == kept.history(best, "height")
        assert kept.runs["copied"]["parameters"] == {"of": kept.runs[best]["id"]}
        assert kept.runs["rates"]["tags"]["owner"] == "nightly"

        version = kept.champion("lowest-place")
        assert (version["number"], version["run"]) == (1, kept.runs[best]["id"])
        assert kept.told.startswith(f"champion: {best}, lowest at ")
