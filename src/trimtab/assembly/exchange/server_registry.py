"""Giving registered models back to an MLflow server: versions keep their numbers, not their moments."""

from urllib.parse import unquote, urlsplit

from trimtab.assembly.exchange.account import Account
from trimtab.assembly.exchange.foreign import ForeignRegistered, ForeignStore, ForeignVersion
from trimtab.assembly.exchange.mlflow_rest import Json, Rest, artifact_path
from trimtab.assembly.exchange.server_target import ServerTarget
from trimtab.atoms.error import NotThere, UsageError
from trimtab.tracking.registry.registered_model import Stage


class ServerRegistry:
    """Writes registered models whose versions' runs or logged models were written before."""

    def __init__(self, rest: Rest, source: ForeignStore, target: ServerTarget, account: Account) -> None:
        self._rest, self._source, self._target, self._account = rest, source, target, account

    def write(self, models: list[ForeignRegistered]) -> None:
        """Write registered models; what is there already is not written again."""
        # A copy of a version can be made only where that version is there.
        for model in sorted(models, key=lambda model: any(map(_is_copy, model.versions))):
            try:
                self._write(model)
            except (UsageError, NotThere) as error:
                self._account.differs(f"registered model {model.name!r}: {error}")

    def _write(self, model: ForeignRegistered) -> None:
        there = self._there(model.name)
        if there is None:
            said = {"name": model.name, "description": model.description, "tags": _pairs(model.tags)}
            there = self._rest.post("registered-models/create", **said)["registered_model"]
            self._account.took("registered models")
        numbers = self._numbers(model.name)
        newest = max(numbers, default=0)
        for version in model.versions:
            if version.number in numbers:
                continue
            if version.number <= newest:
                raise UsageError(
                    f"the server has later versions than {version.number}, and gives no earlier number"
                )
            self._version(model.name, version)
            newest = version.number
        aliases = {each["alias"]: int(each["version"]) for each in there.get("aliases", ())}
        for alias, number in model.aliases.items():
            if aliases.get(alias) != number:
                said = {"name": model.name, "alias": alias, "version": str(number)}
                self._rest.post("registered-models/alias", **said)
                self._account.took("aliases")

    def _version(self, name: str, version: ForeignVersion) -> None:
        run = self._target.run_ids.get(version.run, "")
        source, logged_model = self._source_of(version, run)
        said = {
            "name": name,
            "source": source,
            "description": version.description,
            "tags": _pairs(version.tags),
            **({"run_id": run} if run and not logged_model else {}),
            **({"model_id": logged_model} if logged_model else {}),
            **({"run_link": version.run_link} if version.run_link else {}),
        }
        while True:
            made = int(self._rest.post("model-versions/create", **said)["model_version"]["version"])
            if made >= version.number:
                break
            # A number that nobody has any more here is given up there too.
            self._rest.send(
                "DELETE", "/api/2.0/mlflow/model-versions/delete", {"name": name, "version": str(made)}
            )
        self._account.took("versions")
        if version.stage is not Stage.NONE:
            said = {"name": name, "version": str(made), "stage": version.stage.value}
            self._rest.post("model-versions/transition-stage", **said, archive_existing_versions=False)

    def _source_of(self, version: ForeignVersion, run: str) -> tuple[str, str]:
        """Address there, and the id of the logged model where it is one."""
        parsed = urlsplit(version.source)
        parts = unquote(parsed.path).strip("/").split("/")
        model = version.logged_model or (parts[0] if parsed.scheme == "models" else "")
        if "models" in parts[1:2] and len(parts) > 2:
            model = parts[2]
        if model in self._target.model_ids:
            there = self._target.model_ids[model]
            return f"models:/{there}", there
        if _is_copy(version):
            return version.source, ""
        if not run:
            raise UsageError(
                f"version {version.number}: its run was not given, so its files have no place there"
            )
        if parsed.scheme == "runs" and len(parts) > 1:
            below = "/".join(parts[1:])
        elif len(parts) > 3 and parts[2] == "artifacts":
            below = "/".join(parts[3:])
        else:
            below = f"registered/{version.number}"
        root = f"{self._target.places[version.run]}/{below}"
        for file in self._source.files(version.place):
            self._rest.write(artifact_path(f"{root}/{file.path}"), file.read)
        return root, ""

    def _there(self, name: str) -> Json | None:
        try:
            found: Json = self._rest.get("registered-models/get", name=name)["registered_model"]
        except NotThere:
            return None
        return found

    def _numbers(self, name: str) -> set[int]:
        quoted = name.replace("'", "''")
        asked = {"filter": f"name = '{quoted}'", "max_results": 10_000}
        found = self._rest.pages(self._rest.get, "model-versions/search", "model_versions", **asked)
        return {int(each["version"]) for each in found}


def _is_copy(version: ForeignVersion) -> bool:
    """Whether its source is another version, by name and number, which both are kept there."""
    parsed = urlsplit(version.source)
    return parsed.scheme == "models" and "/" in parsed.path.strip("/")


def _pairs(texts: dict[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in texts.items()]
