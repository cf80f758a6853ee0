"""Runs and logged models that people deleted, as the ledger tells: what they kept may go one day."""

from collections.abc import Iterator
from datetime import datetime

from trimtab.assembly.upkeep.census import Census
from trimtab.atoms.action import Action
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.change import Change
from trimtab.atoms.content.run_log import RunLog
from trimtab.atoms.content.stored_model import StoredModel
from trimtab.atoms.instant import iso
from trimtab.engine.store import Store
from trimtab.tracking.decision import STAGE
from trimtab.tracking.fold import CLOSE, DELETE, EXPERIMENT, LOGGED_MODEL, RESTORE, is_run

_SEALS = (RunLog.kind, StoredModel.kind)


class DeletedOwners:
    """Runs and logged models that were deleted, as the ledger tells."""

    def __init__(self, store: Store, census: Census) -> None:
        self._store, self._census = store, census
        #: When an owner that is deleted was deleted, UTC, ISO 8601.
        self.since: dict[str, str] = {}
        #: Owners that were deleted at some time, restored or not: their files may be gone.
        self.ever: set[str] = set()
        #: Newest seal of each owner.
        self._seals: dict[str, str] = {}
        self._read()

    def before(self, moment: datetime) -> set[str]:
        """Those that were deleted before a moment and still are."""
        return {owner for owner, at in self.since.items() if at < iso(moment)}

    def outdated_seals(self, moment: datetime) -> Iterator[Artifact]:
        """Seals that nobody took and that were last made before a moment, of no use any more.

        These are seals of owners that were deleted before the moment, and those that a newer seal replaced.
        """
        gone, before = self.before(moment), iso(moment)
        taken = {item for action in self._census.actions.values() for item in action.took}
        for artifact in self._census.artifacts.values():
            if (
                artifact.kind not in _SEALS
                or artifact.id in taken
                or self._census.used_at[artifact.id] >= before
            ):
                continue
            makers = self._census.makers.get(artifact.id, ())
            owners = {_sealed_by(self._census.actions[maker]) for maker in makers}
            # What another Action made too, as a registered version its files, stays.
            if all(
                owner and (owner in gone or self._seals.get(owner) not in (None, artifact.id))
                for owner in owners
            ):
                yield artifact

    def _read(self) -> None:
        made: dict[str, list[str]] = {}
        for artifact, makers in self._census.makers.items():
            for maker in makers:
                made.setdefault(maker, []).append(artifact)
        runs: dict[str, list[str]] = {}
        for action in self._census.actions.values():
            if action.stage != STAGE:
                continue
            if is_run(action):
                runs.setdefault(action.subject, []).append(action.id)
            elif action.kind in (DELETE, RESTORE):
                self._set(action.subject, action, deleted=action.kind == DELETE)
            elif action.kind == f"delete-{LOGGED_MODEL}":
                self._set(action.subject, action, deleted=True)
            elif action.kind == f"change-{EXPERIMENT}":
                deleted = self._deletes(made.get(action.id, []))
                for run in runs.get(action.subject, []) if deleted is not None else ():
                    self._set(run, action, deleted=bool(deleted))
            for artifact in made.get(action.id, ()):
                if self._census.artifacts[artifact].kind in _SEALS:
                    self._seals[_sealed_by(action)] = artifact

    def _set(self, owner: str, action: Action, *, deleted: bool) -> None:
        if deleted:
            self.since.setdefault(owner, action.at)
            self.ever.add(owner)
        else:
            self.since.pop(owner, None)

    def _deletes(self, made: list[str]) -> bool | None:
        for artifact in made:
            if self._census.artifacts[artifact].kind == Change.kind:
                deleted = self._store.read(artifact, Change).values.get("deleted")
                if deleted is not None:
                    return bool(deleted)
        return None


def _sealed_by(action: Action) -> str:
    """The run or logged model that an Action seals; empty for another one, whose artifacts stay."""
    if is_run(action):
        return action.id
    sealing = action.stage == STAGE and action.kind in (CLOSE, f"finish-{LOGGED_MODEL}")
    return action.subject if sealing else ""
