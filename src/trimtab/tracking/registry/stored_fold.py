"""Models that people and clients stored: a fold of the `registry` decisions.

A change takes effect in the ledger's order, or it is lost because an earlier one made it impossible: of two that give
the same name at once, the first one in the ledger has it. A new version's number is its place in that order.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from trimtab.atoms.action import Action
from trimtab.atoms.content.change import Change
from trimtab.atoms.instant import parse_instant
from trimtab.tracking.registry.registered_model import ModelVersion, Placement, RegisteredModel, Stage

#: What the Changes are about.
MODEL, VERSION = "registered-model", "model-version"


class Lost(Exception):
    """A change that had no effect; the message says why."""


@dataclass
class _Model:
    #: Without its versions.
    head: RegisteredModel
    versions: dict[int, ModelVersion] = field(default_factory=dict)
    history: list[Placement] = field(default_factory=list)


class StoredFold:
    """Takes changes; `taken` says which names the pipeline has, as nobody else may give them."""

    def __init__(self, taken: Callable[[str], bool]) -> None:
        self._taken = taken
        self._models: dict[str, _Model] = {}
        #: Every number that a version of this name ever had.
        self._numbers: dict[str, set[int]] = {}
        #: Name and number of the version that an Action made last.
        self._made: dict[str, tuple[str, int]] = {}
        #: Why a change of an Action had no effect.
        self.lost: dict[str, str] = {}

    def take(self, action: Action, changes: Iterable[Change]) -> None:
        """Take the changes of an Action that ended well."""
        for change in changes:
            does = _DOES.get((change.what, change.does))
            try:
                if does is None:
                    raise Lost(f"this Trimtab does not know how to {change.does} a {change.what}")
                does(self, action, change.id, change.values)
            except Lost as reason:
                self.lost[action.id] = str(reason)

    def find(self, name: str) -> RegisteredModel | None:
        """The model of this name with its versions."""
        model = self._models.get(name)
        return None if model is None else _whole(model)

    def version(self, name: str, number: int) -> ModelVersion | None:
        """One version."""
        model = self._models.get(name)
        return None if model is None else model.versions.get(number)

    def made_by(self, action: str) -> ModelVersion:
        """The version that an Action made; KeyError where it is gone again."""
        name, number = self._made[action]
        return self._models[name].versions[number]

    def all(self) -> list[RegisteredModel]:
        """All of them."""
        return [_whole(model) for model in self._models.values()]

    def history(self, name: str) -> list[Placement]:
        """How aliases and stages moved, oldest first."""
        model = self._models.get(name)
        return [] if model is None else list(model.history)

    def make_way(self, name: str) -> None:
        """The pipeline takes this name: what was stored under it goes on as `NAME-stored`."""
        if name in self._models:
            free = f"{name}-stored"
            while free in self._models or self._taken(free):
                free += "-stored"
            self._move(name, free)

    def _model(self, name: str) -> _Model:
        if name not in self._models:
            raise Lost(f"no registered model {name!r}")
        return self._models[name]

    def _version(self, id: str) -> tuple[_Model, ModelVersion]:
        name, _, number = id.rpartition("/")
        model = self._model(name)
        if int(number) not in model.versions:
            raise Lost(f"registered model {name!r} has no version {number}")
        return model, model.versions[int(number)]

    def _create(self, action: Action, name: str, values: dict[str, Any]) -> None:
        if self._taken(name) or name in self._models:
            raise Lost(f"there is a registered model {name!r} already")
        now = _now(action)
        head = RegisteredModel(
            name=name,
            description=values.get("description", ""),
            tags=values.get("tags", {}),
            created_ms=values.get("created_ms", now),
            updated_ms=values.get("updated_ms", now),
            by=action.by,
        )
        self._models[name] = _Model(head)

    def _rename(self, action: Action, name: str, values: dict[str, Any]) -> None:
        model, to = self._model(name), values["to"]
        if self._taken(to) or to in self._models:
            raise Lost(f"there is a registered model {to!r} already")
        _touch(model, action)
        self._move(name, to)
        model.versions = {
            number: _replace(version, updated_ms=_now(action)) for number, version in model.versions.items()
        }

    def _move(self, name: str, to: str) -> None:
        model = self._models[to] = self._models.pop(name)
        model.head = _replace(model.head, name=to)
        model.versions = {number: _replace(version, model=to) for number, version in model.versions.items()}
        for version in model.versions.values():
            self._made[version.action] = (to, version.number)
        self._numbers[to] = self._numbers.get(to, set()) | self._numbers.get(name, set())

    def _change(self, action: Action, name: str, values: dict[str, Any]) -> None:
        model = self._model(name)
        model.head = _changed(model.head, action, values)

    def _delete(self, action: Action, name: str, values: dict[str, Any]) -> None:
        self._model(name)
        del self._models[name]

    def _set_alias(self, action: Action, name: str, values: dict[str, Any]) -> None:
        model, alias, number = self._model(name), values["alias"], values["number"]
        if number not in model.versions:
            raise Lost(f"registered model {name!r} has no version {number}")
        _mean(model, action, alias, number)

    def _drop_alias(self, action: Action, name: str, values: dict[str, Any]) -> None:
        _mean(self._model(name), action, values["alias"], None)

    def _add(self, action: Action, name: str, values: dict[str, Any]) -> None:
        model = self._model(name)
        numbers = self._numbers.setdefault(name, set())
        number = values.get("number") or max(numbers, default=0) + 1
        if number in numbers:
            raise Lost(f"registered model {name!r} has or had a version {number} already")
        now = _now(action)
        numbers.add(number)
        given = {each: values[each] for each in _GIVEN if each in values}
        times = {each: values.get(each, now) for each in ("created_ms", "updated_ms")}
        model.versions[number] = ModelVersion(
            model=name, number=number, by=action.by, action=action.id, **given, **times
        )
        if "stage" in values:
            _stage(model, action, model.versions[number], Stage(values["stage"]))
            model.versions[number] = _replace(model.versions[number], **times)
        self._made[action.id] = (name, number)
        _touch(model, action)

    def _change_version(self, action: Action, id: str, values: dict[str, Any]) -> None:
        model, version = self._version(id)
        model.versions[version.number] = _changed(version, action, values)

    def _place(self, action: Action, id: str, values: dict[str, Any]) -> None:
        model, version = self._version(id)
        stage = Stage(values["stage"])
        for other in list(model.versions.values()):
            if values.get("archive") and other.number != version.number and other.stage is stage:
                _stage(model, action, other, Stage.ARCHIVED)
        _stage(model, action, version, stage)
        _touch(model, action)

    def _delete_version(self, action: Action, id: str, values: dict[str, Any]) -> None:
        model, version = self._version(id)
        for alias, number in list(model.head.aliases.items()):
            if number == version.number:
                _mean(model, action, alias, None)
        del model.versions[version.number]
        _touch(model, action)


#: What a new version says of itself.
_GIVEN = ("source", "run", "logged_model", "run_link", "description", "tags", "files")

_DOES: dict[tuple[str, str], Callable[[StoredFold, Action, str, dict[str, Any]], None]] = {
    (MODEL, "create"): StoredFold._create,
    (MODEL, "rename"): StoredFold._rename,
    (MODEL, "change"): StoredFold._change,
    (MODEL, "delete"): StoredFold._delete,
    (MODEL, "set-alias"): StoredFold._set_alias,
    (MODEL, "drop-alias"): StoredFold._drop_alias,
    (MODEL, "add-version"): StoredFold._add,
    (VERSION, "change"): StoredFold._change_version,
    (VERSION, "place"): StoredFold._place,
    (VERSION, "delete"): StoredFold._delete_version,
}


def _now(action: Action) -> int:
    return int(parse_instant(action.at).timestamp() * 1000)


def _replace(record: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(record, **fields)


def _whole(model: _Model) -> RegisteredModel:
    versions = tuple(model.versions[number] for number in sorted(model.versions))
    whole: RegisteredModel = _replace(model.head, versions=versions)
    return whole


def _touch(model: _Model, action: Action) -> None:
    model.head = _replace(model.head, updated_ms=max(model.head.updated_ms, _now(action)))


def _changed(record: Any, action: Action, values: dict[str, Any]) -> Any:
    """A model or a version with another description, and other tags; a tag that is None goes."""
    tags = {**record.tags, **values.get("tags", {})}
    changed: dict[str, Any] = {"tags": {key: value for key, value in tags.items() if value is not None}}
    if "description" in values:
        changed |= {"description": values["description"], "updated_ms": _now(action)}
    if "updated_ms" in values:
        changed["updated_ms"] = values["updated_ms"]
    return _replace(record, **changed)


def _mean(model: _Model, action: Action, alias: str, number: int | None) -> None:
    aliases = dict(model.head.aliases)
    was = aliases.pop(alias, None)
    if number is not None:
        aliases[alias] = number
    model.head = _replace(model.head, aliases=aliases)
    if was != number:
        before = "" if was is None else str(was)
        model.history.append(
            Placement(at=action.at, by=action.by, action=action.id, alias=alias, number=number, before=before)
        )


def _stage(model: _Model, action: Action, version: ModelVersion, stage: Stage) -> None:
    if version.stage is not stage:
        model.history.append(
            Placement(
                at=action.at,
                by=action.by,
                action=action.id,
                stage=stage.value,
                number=version.number,
                before=version.stage.value,
            )
        )
    model.versions[version.number] = _replace(version, stage=stage, updated_ms=_now(action))
