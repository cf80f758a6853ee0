"""Registered models on their way into the store: numbers, times, aliases, stages and tags are kept."""

from typing import Any

from trimtab.assembly.exchange.account import Account
from trimtab.assembly.exchange.decision_batch import DecisionBatch
from trimtab.assembly.exchange.file_intake import digest_of
from trimtab.assembly.exchange.foreign import ForeignRegistered, ForeignStore, ForeignVersion
from trimtab.assembly.exchange.version_intake import VersionIntake
from trimtab.atoms.artifact import artifact_of
from trimtab.atoms.content.change import Change
from trimtab.atoms.content.content import Content
from trimtab.atoms.error import NotThere, UsageError
from trimtab.atoms.run import LoggedFile
from trimtab.tracking.registry.book import KIND
from trimtab.tracking.registry.registered_model import ModelVersion, RegisteredModel
from trimtab.tracking.registry.rule import require_stored
from trimtab.tracking.registry.stored_fold import MODEL, VERSION
from trimtab.tracking.seal import stored_model
from trimtab.tracking.tracking import Tracking


class RegistryIntake:
    """Takes registered models over. A version that is here already is left as it is, whatever it is there."""

    def __init__(
        self, tracking: Tracking, source: ForeignStore, account: Account, by: str, parent: str
    ) -> None:
        self._tracking, self._source, self._account = tracking, source, account
        self._batch = DecisionBatch(tracking.store, by, parent)

    def take(self, models: list[ForeignRegistered]) -> None:
        """Take registered models over and read them back; their runs and logged models are here already."""
        self._files = VersionIntake(self._tracking, self._source, self._account, models)
        kept: dict[tuple[str, int], list[tuple[LoggedFile, str]]] = {}
        for model in models:
            try:
                self._take_one(model, kept)
            except UsageError as error:
                self._account.differs(f"registered model {model.name!r}: {error}")
        self._batch.write()
        for model in models:
            self._verify(model, kept)

    def _take_one(
        self, model: ForeignRegistered, kept: dict[tuple[str, int], list[tuple[LoggedFile, str]]]
    ) -> None:
        here = self._here(model.name)
        if here is not None:
            require_stored(here)
        contents: list[Content] = []
        if here is None:
            self._account.took("registered models")
            values = _times(model) | {"description": model.description, "tags": model.tags}
            contents.append(Change(what=MODEL, id=model.name, does="create", values=values))
        else:
            contents += _changed(MODEL, model.name, model, here)
        numbers = {version.number: version for version in here.versions} if here else {}
        for version in model.versions:
            if version.number in numbers:
                there = numbers[version.number]
                kept[model.name, version.number] = self._files.keep(model.name, version.number, there.files)
                contents += _changed(VERSION, f"{model.name}/{version.number}", version, there)
                continue
            kept[model.name, version.number] = self._files.keep(model.name, version.number)
            contents += self._version(
                model.name, version, [file for file, _ in kept[model.name, version.number]]
            )
            self._account.took("versions")
        aliases = here.aliases if here else {}
        for alias, number in model.aliases.items():
            if aliases.get(alias) != number:
                self._account.took("aliases")
                values = {"alias": alias, "number": number}
                contents.append(Change(what=MODEL, id=model.name, does="set-alias", values=values))
        if contents:
            times = {"updated_ms": model.updated_ms}
            contents.append(Change(what=MODEL, id=model.name, does="change", values=times))
            self._batch.add(KIND, model.name, contents)

    def _version(self, name: str, version: ForeignVersion, files: list[LoggedFile]) -> list[Content]:
        contents: list[Content] = []
        values: dict[str, Any] = _times(version) | {
            "number": version.number,
            "source": version.source,
            "run": version.run,
            "logged_model": version.logged_model,
            "run_link": version.run_link,
            "description": version.description,
            "tags": version.tags,
            "stage": version.stage.value,
        }
        if files:
            content = stored_model(files)
            contents.append(content)
            values["files"] = artifact_of(content)[0].id
        contents.append(Change(what=MODEL, id=name, does="add-version", values=values))
        return contents

    def _here(self, name: str) -> RegisteredModel | None:
        try:
            return self._tracking.registry.models.find(name)
        except NotThere:
            return None

    def _verify(
        self, model: ForeignRegistered, kept: dict[tuple[str, int], list[tuple[LoggedFile, str]]]
    ) -> None:
        here = self._here(model.name)
        differing = "is not here" if here is None else _difference(model, here)
        self._account.found("registered models", 1, int(not differing))
        if differing:
            self._account.differs(f"registered model {model.name!r}: {differing}")
        aliases = here.aliases if here else {}
        same = [alias for alias, number in model.aliases.items() if aliases.get(alias) == number]
        self._account.found("aliases", len(model.aliases), len(same))
        for alias in model.aliases.keys() - set(same):
            self._account.differs(
                f"registered model {model.name!r}: alias {alias!r} means another version here"
            )
        versions = {version.number: version for version in here.versions} if here else {}
        for version in model.versions:
            found = versions.get(version.number)
            differing = "is not here" if found is None else _version_difference(version, found)
            files = kept.get((model.name, version.number), [])
            if found is not None and not differing and not self._same_files(found.files, files):
                differing = "its files are not the same here"
            self._account.found("versions", 1, int(not differing))
            if differing:
                self._account.differs(f"version {version.number} of {model.name!r}: {differing}")

    def _same_files(self, artifact: str, kept: list[tuple[LoggedFile, str]]) -> bool:
        if not kept or not artifact:
            return not kept
        here = {file.path: file for file in self._tracking.registry.versions.files(artifact)}
        return all(
            file.path in here and digest_of(self._tracking.files.read(here[file.path])) == digest
            for file, digest in kept
        )


def _times(record: ForeignRegistered | ForeignVersion) -> dict[str, Any]:
    return {"created_ms": record.created_ms, "updated_ms": record.updated_ms}


def _changed(
    what: str, id: str, there: ForeignRegistered | ForeignVersion, here: RegisteredModel | ModelVersion
) -> list[Change]:
    """What a model or a version that is here already says otherwise there."""
    values: dict[str, Any] = {}
    tags = {key: value for key, value in there.tags.items() if here.tags.get(key) != value}
    if tags:
        values["tags"] = tags
    if there.description != here.description:
        values["description"] = there.description
    changes = []
    if isinstance(there, ForeignVersion) and isinstance(here, ModelVersion) and there.stage is not here.stage:
        changes.append(Change(what=what, id=id, does="place", values={"stage": there.stage.value}))
    if values or changes:
        changes.append(
            Change(what=what, id=id, does="change", values=values | {"updated_ms": there.updated_ms})
        )
    return changes


def _difference(there: ForeignRegistered, here: RegisteredModel) -> str:
    pairs = {
        "description": (there.description, here.description),
        "tags": (there.tags, {key: here.tags.get(key) for key in there.tags}),
        "creation": (there.created_ms, here.created_ms),
    }
    return _told(pairs)


def _version_difference(there: ForeignVersion, here: ModelVersion) -> str:
    pairs = {
        "source": (there.source, here.source),
        "run": (there.run, here.run),
        "description": (there.description, here.description),
        "stage": (there.stage, here.stage),
        "tags": (there.tags, {key: here.tags.get(key) for key in there.tags}),
        "creation": (there.created_ms, here.created_ms),
    }
    return _told(pairs)


def _told(pairs: dict[str, tuple[Any, Any]]) -> str:
    return "; ".join(f"{what}: {a!r} there, {b!r} here" for what, (a, b) in pairs.items() if a != b)
