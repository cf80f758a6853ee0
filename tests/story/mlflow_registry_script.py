"""What users of MLflow's registry do, with MLflow's client alone: prints what came of it as one line of JSON."""
# ruff: noqa: T201 (it prints its result)

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import mlflow.genai
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

CLIENT = MlflowClient()


class Times(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
    """Multiplies."""

    def __init__(self, by: int) -> None:
        self.by = by

    def predict(self, context: Any, model_input: list[int], params: Any = None) -> list[int]:
        return [self.by * each for each in model_input]


def code_of(call: Callable[[], Any]) -> str:
    """The code of the error that a call ends with."""
    try:
        call()
    except MlflowException as error:
        return str(error.error_code)
    return "none"


def version(told: Any) -> dict[str, Any]:
    """What a version says, but for ids and moments."""
    return {
        "version": int(told.version),
        "stage": told.current_stage,
        "description": told.description or "",
        "tags": dict(told.tags),
        "aliases": sorted(told.aliases),
        "status": told.status,
        "run": bool(told.run_id),
    }


def pairs(versions: Any) -> list[tuple[str, int]]:
    """Names and numbers."""
    return [(each.name, int(each.version)) for each in versions]


def stored() -> tuple[str, str, str]:
    """A run with a logged model and a model of the older kind in its files; their addresses and its id."""
    mlflow.set_experiment("registry")
    with mlflow.start_run() as run, tempfile.TemporaryDirectory() as folder:
        logged = mlflow.pyfunc.log_model(name="twice", python_model=Times(2), pip_requirements=["mlflow"])
        mlflow.pyfunc.save_model(Path(folder) / "m", python_model=Times(3), pip_requirements=["mlflow"])
        mlflow.log_artifacts(str(Path(folder) / "m"), "old style")
    return logged.model_uri, f"runs:/{run.info.run_id}/old style", str(run.info.run_id)


def life_of(name: str, logged: str, old: str, run: str) -> dict[str, Any]:
    """Three versions of a model, and all that may be done with them."""
    client = CLIENT
    made = [
        mlflow.register_model(logged, name, tags={"k": "v"}),
        mlflow.register_model(old, name),
        mlflow.register_model(f"runs:/{run}/twice", name),
    ]
    for number in (2, 1):
        client.set_registered_model_alias(name, "champ", str(number))
    client.set_registered_model_alias(name, "other", "1")
    client.transition_model_version_stage(name, "1", "Production")
    client.transition_model_version_stage(name, "3", "production", archive_existing_versions=True)
    client.update_registered_model(name, "said")
    client.update_model_version(name, "2", "of two")
    client.set_registered_model_tag(name, "t", "1")
    client.set_registered_model_tag(name, "gone", "1")
    client.delete_registered_model_tag(name, "gone")
    client.set_model_version_tag(name, "2", "u", "2")
    client.delete_model_version_tag(name, "1", "k")
    model = client.get_registered_model(name)
    addresses = ["/1", "/2", "@champ", "/Production", "/latest"]
    return {
        "made": [version(each) for each in made],
        "after": [version(client.get_model_version(name, str(number))) for number in (1, 2, 3)],
        "model": {
            "description": model.description,
            "tags": dict(model.tags),
            "aliases": {alias: int(number) for alias, number in model.aliases.items()},
            "latest": sorted(int(each.version) for each in model.latest_versions),
        },
        "loaded": {
            f"models:/{name}{end}": mlflow.pyfunc.load_model(f"models:/{name}{end}").predict([1, 2])
            for end in addresses
        },
        "files": sorted(os.listdir(mlflow.artifacts.download_artifacts(f"models:/{name}/1"))),
        "champ": version(client.get_model_version_by_alias(name, "champ")),
        "latest": sorted(pairs(client.get_latest_versions(name))),
        "archived": pairs(client.get_latest_versions(name, ["Archived"])),
    }


def searches(run: str) -> dict[str, Any]:
    """Filters, orders and pages."""
    client = CLIENT
    page = client.search_registered_models(max_results=2)
    rest = client.search_registered_models(max_results=2, page_token=page.token)
    models = [
        client.search_registered_models(),
        client.search_registered_models("name LIKE 'p%'"),
        client.search_registered_models("tags.t = '1'", order_by=["name DESC"], max_results=1),
    ]
    versions = [
        client.search_model_versions("name='plain'", order_by=["version_number ASC"]),
        client.search_model_versions(
            f"run_id='{run}' and version_number >= 2", order_by=["name", "version_number DESC"]
        ),
        client.search_model_versions("tags.u = '2'", order_by=["name"]),
        client.search_model_versions("name IN ('plain','copied')", order_by=["name", "version_number"]),
    ]
    return {
        "models": [[each.name for each in found] for found in models],
        "pages": [[each.name for each in page], [each.name for each in rest]],
        "versions": [pairs(found) for found in versions],
    }


def codes(logged: str) -> dict[str, str]:
    """The codes of the errors of what cannot be done."""
    client, nobody = CLIENT, "0123456789abcdef0123456789abcdef"
    calls: dict[str, Callable[[], Any]] = {
        "twice": lambda: client.create_registered_model("named"),
        "none": lambda: client.get_registered_model("no"),
        "slash": lambda: client.create_registered_model("a/b"),
        "empty": lambda: client.create_registered_model(" "),
        "no version": lambda: client.get_model_version("named", "99"),
        "no number": lambda: client.get_model_version("named", "x"),
        "alias v1": lambda: client.set_registered_model_alias("named", "v1", "2"),
        "alias latest": lambda: client.set_registered_model_alias("named", "latest", "2"),
        "alias of none": lambda: client.set_registered_model_alias("named", "x", "99"),
        "stage": lambda: client.transition_model_version_stage("named", "2", "Better"),
        "archive": lambda: client.transition_model_version_stage("named", "2", "Archived", True),
        "name taken": lambda: client.rename_registered_model("named", "a model"),
        "deleted": lambda: client.get_registered_model("copied"),
        "no alias": lambda: client.get_model_version_by_alias("named", "nobody"),
        "no run": lambda: client.create_model_version("named", f"runs:/{nobody}/m", run_id=nobody),
        "local": lambda: client.create_model_version("named", "/etc"),
        "filter": lambda: client.search_registered_models("nonsense"),
        "attribute": lambda: client.search_model_versions("color = 'x'"),
        "delete none": lambda: client.delete_registered_model("nope"),
        "too many": lambda: client.search_registered_models(max_results=5000),
        "no model": lambda: client.create_model_version("nope", logged),
        "latest of none": lambda: client.get_latest_versions("nope"),
    }
    return {name: code_of(call) for name, call in calls.items()}


def prompts() -> list[Any]:
    """Prompts are registered models with tags."""
    mlflow.genai.register_prompt("greet", "Hello {{who}}", commit_message="first", tags={"x": "y"})
    mlflow.genai.register_prompt("greet", "Hi {{who}}")
    mlflow.genai.set_prompt_alias("greet", "live", 1)
    templates = [mlflow.genai.load_prompt(f"prompts:/greet{end}").template for end in ("@live", "/2")]
    return [*templates, [each.name for each in mlflow.genai.search_prompts()]]


def main() -> None:
    """Do all of it."""
    client = CLIENT
    logged, old, run = stored()
    found: dict[str, Any] = {name: life_of(name, logged, old, run) for name in ("a model", "plain")}
    copy = client.copy_model_version("models:/plain@champ", "copied")
    loaded = mlflow.pyfunc.load_model("models:/copied/1").predict([4])
    found["copy"] = {"version": int(copy.version), "loaded": loaded}
    found["search"] = searches(run)
    for _ in range(2):
        client.delete_registered_model_alias("plain", "other")
    client.delete_model_version("plain", "1")
    found["gone"] = [
        code_of(lambda: client.get_model_version("plain", "1")),
        code_of(lambda: client.get_model_version_by_alias("plain", "champ")),
    ]
    found["next"] = int(mlflow.register_model(logged, "plain").version)
    client.rename_registered_model("plain", "named")
    found["renamed"] = pairs(client.search_model_versions("name='named'", order_by=["version_number"]))
    client.delete_registered_model("copied")
    found["codes"] = codes(logged)
    found["prompt"] = prompts()
    print(json.dumps(found, sort_keys=True))


if __name__ == "__main__":
    main()
