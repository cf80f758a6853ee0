"""Models that the pipeline makes: a version is a registered bundle, and the traffic plan gives the aliases."""

from typing import Any, TypeVar

import msgspec

from trimtab.atoms.action import Action, Closing
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.instant import parse_instant
from trimtab.engine.store import Store
from trimtab.engine.version_status import status_under
from trimtab.tracking.registry.registered_model import ModelVersion, Placement, RegisteredModel

Record = TypeVar("Record", RegisteredModel, ModelVersion)

#: Tags of a version: what became of it, and which bundle it is.
STATUS_TAG, BUNDLE_TAG = "trimtab.status", "trimtab.bundle"


class PipelineFold:
    """Takes the ends of `register` and `release` Actions in the ledger's order."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._models: dict[str, RegisteredModel] = {}
        self._plans: dict[str, TrafficPlan] = {}
        self._history: dict[str, list[Placement]] = {}

    def take(self, action: Action, closing: Closing) -> None:
        """Take an Action that ended well."""
        if action.stage == "register" and action.kind == "register":
            for bundle in self._of_kind(closing, "bundle"):
                self._add(action, closing, bundle)
        elif action.stage == "release":
            for plan in self._of_kind(closing, TrafficPlan.kind):
                self._release(action, closing, self._store.read(plan, TrafficPlan))

    def find(self, name: str) -> RegisteredModel | None:
        """The model of this name."""
        return self._models.get(name)

    def all(self) -> list[RegisteredModel]:
        """All of them."""
        return list(self._models.values())

    def history(self, name: str) -> list[Placement]:
        """What champion and challenger meant, oldest first."""
        return list(self._history.get(name, ()))

    def _of_kind(self, closing: Closing, kind: str) -> list[str]:
        return [made for made in closing.made if self._store.artifact(made).kind == kind]

    def _add(self, action: Action, closing: Closing, bundle: str) -> None:
        now = _milliseconds(closing.at)
        name = action.subject
        model = self._models.get(name) or RegisteredModel(
            name=name,
            description="Registered and released by this project's own pipeline.",
            created_ms=now,
            updated_ms=now,
            by=action.by,
            own=True,
        )
        version = ModelVersion(
            model=name,
            number=len(model.versions) + 1,
            source=f"trimtab:/bundles/{bundle}",
            description=closing.note,
            tags={STATUS_TAG: "registered", BUNDLE_TAG: bundle},
            created_ms=now,
            updated_ms=now,
            by=action.by,
            action=action.id,
            bundle=bundle,
        )
        self._models[name] = _with(model, now, versions=(*model.versions, version))

    def _release(self, action: Action, closing: Closing, plan: TrafficPlan) -> None:
        model = self._models.get(plan.model)
        if model is None:
            return
        now = _milliseconds(closing.at)
        before = self._plans.get(plan.model)
        left = () if before is None else (before.champion, before.challenger)
        self._plans[plan.model] = plan
        versions = tuple(self._judged(version, plan, action.kind, left, now) for version in model.versions)
        aliases = {"champion": plan.champion_version}
        if plan.challenger_version is not None:
            aliases["challenger"] = plan.challenger_version
        self._note(action, closing, model, aliases)
        self._models[plan.model] = _with(model, now, versions=versions, aliases=aliases)

    def _judged(
        self, version: ModelVersion, plan: TrafficPlan, kind: str, left: tuple[str | None, ...], now: int
    ) -> ModelVersion:
        was = version.tags[STATUS_TAG]
        status = status_under(plan, version.bundle, was, kind=kind, left=left)
        if status == was:
            return version
        return _with(version, now, tags={**version.tags, STATUS_TAG: status})

    def _note(
        self, action: Action, closing: Closing, model: RegisteredModel, aliases: dict[str, int]
    ) -> None:
        for alias in ("champion", "challenger"):
            was, number = model.aliases.get(alias), aliases.get(alias)
            if was != number:
                step = Placement(
                    at=closing.at,
                    by=action.by,
                    action=action.id,
                    alias=alias,
                    number=number,
                    before="" if was is None else str(was),
                )
                self._history.setdefault(model.name, []).append(step)


def _with(record: Record, now: int, **fields: Any) -> Record:
    return msgspec.structs.replace(record, updated_ms=now, **fields)


def _milliseconds(at: str) -> int:
    return int(parse_instant(at).timestamp() * 1000)
