"""Who answers: the traffic plan of each model, its past plans, and what became of each version."""

from dataclasses import dataclass, field

import msgspec

from trimtab.atoms.action import Closing, Outcome
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.engine.version_status import status_under
from trimtab.views.book import Book


class PlanState(msgspec.Struct, frozen=True, kw_only=True):
    """A traffic plan with the decision that made it."""

    artifact_id: str
    plan: TrafficPlan
    #: When it came into force, UTC, ISO 8601.
    since: str
    #: The release Action that made it.
    action: str
    #: That Action's kind: `shadow`, `canary`, `promote` or `roll-back`.
    kind: str
    because: tuple[str, ...] = ()
    by: str = ""
    note: str = ""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A registered bundle and what became of it."""

    #: 1, 2, 3 ... in the order of registration.
    number: int
    #: Artifact id of the bundle.
    bundle: str
    registered_at: str
    #: Artifact id of the trained model.
    model: str
    #: `champion`, `challenger`, `retired`, `rolled-back` or `registered` (no traffic yet).
    status: str
    #: The register Action.
    action: str = ""


@dataclass
class _Record:
    plans: list[PlanState] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    champions: list[int] = field(default_factory=list)


class Releases:
    """A version is a done `register` Action; a plan is a done release Action that made a traffic plan."""

    def __init__(self) -> None:
        self._models: dict[str, _Record] = {}

    def on_closing(self, closing: Closing, book: Book) -> None:
        """Take the end of a registration or of a release."""
        action = book.open_action(closing.action)
        if action is None or closing.outcome is not Outcome.DONE:
            return
        if action.stage == "register" and action.kind == "register":
            record = self._models.setdefault(action.subject, _Record())
            trained = book.of_kind(action.took, "model")
            for bundle in book.of_kind(closing.made, "bundle"):
                record.versions.append(
                    Version(
                        number=len(record.versions) + 1,
                        bundle=bundle,
                        registered_at=closing.at,
                        model=trained[0] if trained else "",
                        status="registered",
                        action=action.id,
                    )
                )
        elif action.stage == "release":
            for made in book.of_kind(closing.made, "traffic-plan"):
                plan = book.head(made, TrafficPlan)
                self._enter(
                    PlanState(
                        artifact_id=made,
                        plan=plan,
                        since=closing.at,
                        action=action.id,
                        kind=action.kind,
                        because=action.because,
                        by=action.by,
                        note=closing.note or action.note,
                    )
                )

    def plan(self, model: str) -> PlanState | None:
        """The plan in force, or None before the first release."""
        record = self._models.get(model)
        return record.plans[-1] if record and record.plans else None

    def history(self, model: str) -> list[PlanState]:
        """Every plan there was, oldest first."""
        return list(self._models[model].plans) if model in self._models else []

    def versions(self, model: str) -> list[Version]:
        """Every registered version, oldest first."""
        return list(self._models[model].versions) if model in self._models else []

    def version_of(self, bundle: str) -> tuple[str, Version] | None:
        """The model and the version that a bundle is, or None where it was never registered."""
        for model, record in self._models.items():
            for version in record.versions:
                if version.bundle == bundle:
                    return model, version
        return None

    def champions(self, model: str) -> list[int]:
        """Version numbers in the order in which they became champion; one may come again."""
        return list(self._models[model].champions) if model in self._models else []

    def models(self) -> list[str]:
        """Names of the models with a version or a plan, in the order in which they came."""
        return list(self._models)

    def _enter(self, state: PlanState) -> None:
        record = self._models.setdefault(state.plan.model, _Record())
        before = record.plans[-1].plan if record.plans else None
        record.plans.append(state)
        plan = state.plan
        if not record.champions or record.champions[-1] != plan.champion_version:
            record.champions.append(plan.champion_version)
        left = () if before is None else (before.champion, before.challenger)
        record.versions = [
            msgspec.structs.replace(
                version, status=status_under(plan, version.bundle, version.status, kind=state.kind, left=left)
            )
            for version in record.versions
        ]
