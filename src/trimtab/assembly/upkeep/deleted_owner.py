"""Runs and logged models that people deleted, as the ledger tells: what they kept may go one day."""

from collections.abc import Iterator
from datetime import datetime

from trimtab.assembly.upkeep.census import Census
from trimtab.atoms.action import Action
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.change import Change
from trimtab.atoms.content.run_log import RunLog
from trimtab.atoms.instant import iso
from trimtab.engine.store import Store
from trimtab.tracking.decision import STAGE
from trimtab.tracking.fold import CLOSE, DELETE, EXPERIMENT, LOGGED_MODEL, RESTORE, is_run


class DeletedOwners:
    """Runs and logged models that were deleted, as the ledger tells."""

    def __init__(self, store: Store, census: Census) -> None:
        self._store, self._census = store, census
        #: When an owner that is deleted was deleted, UTC, ISO 8601.
        self.since: dict[str, str] = {}
        #: Owners that were deleted at some time, restored or not: their files may be gone.
        self.ever: set[str] = set()
        #: Newest run log of each run.
        self._sealed: dict[str, str] = {}
        self._read()

    def before(self, moment: datetime) -> set[str]:
        """Those that were deleted before a moment and still are."""
        return {owner for owner, at in self.since.items() if at < iso(moment)}

    def outdated_logs(self, moment: datetime) -> Iterator[Artifact]:
        """Run logs of runs that were deleted before a moment, and those that a newer seal replaced before it."""
        gone, before = self.before(moment), iso(moment)
        for artifact, runs in self._logs():
            newest = all(self._sealed[run] == artifact.id for run in runs)
            if self._census.used_at[artifact.id] < before and (not newest or runs <= gone):
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
        for log, run in self._run_logs():
            self._sealed[run] = log.id

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

    def _run_logs(self) -> Iterator[tuple[Artifact, str]]:
        """Every run log of a run that was logged by hand, with its run, in the order of the ledger."""
        for artifact in self._census.artifacts.values():
            if artifact.kind != RunLog.kind:
                continue
            for maker in self._census.makers.get(artifact.id, ()):
                action = self._census.actions[maker]
                if is_run(action):
                    yield artifact, action.id
                elif action.stage == STAGE and action.kind == CLOSE:
                    yield artifact, action.subject

    def _logs(self) -> Iterator[tuple[Artifact, set[str]]]:
        by_log: dict[str, set[str]] = {}
        for artifact, run in self._run_logs():
            by_log.setdefault(artifact.id, set()).add(run)
        for artifact_id, runs in by_log.items():
            yield self._census.artifacts[artifact_id], runs
