"""Runs: their beginning, their end, and finding them."""

from collections.abc import Mapping

from trimtab.atoms.action import Action, Closing, action_id
from trimtab.atoms.actor import Actor
from trimtab.atoms.entry import Record
from trimtab.atoms.error import Conflict, LawBroken, NotThere, UsageError
from trimtab.atoms.instant import iso
from trimtab.atoms.run import DEFAULT_EXPERIMENT, NAME_TAG, Run, RunHead, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Page, Query
from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex
from trimtab.tracking.decision import STAGE, decide_change
from trimtab.tracking.fold import CLOSE, DELETE, RESTORE, RESUME, RUN, STATUS
from trimtab.tracking.follow import Follower
from trimtab.tracking.logbook import Logbook
from trimtab.tracking.rule import milliseconds_of, moment_of, require_id, require_parameters, require_tags
from trimtab.tracking.seal import seal_run
from trimtab.tracking.word import made_up_name

_OUTCOME = {status: outcome for outcome, status in STATUS.items()}


class Runs:
    """A run is an Action: opened here, and closed with its sealed run log. Readings see all that was acknowledged."""

    def __init__(self, store: Store, index: RunIndex, follower: Follower, logbook: Logbook) -> None:
        self._store, self._index, self._follower, self._logbook = store, index, follower, logbook

    def open(
        self,
        experiment: str = DEFAULT_EXPERIMENT,
        *,
        by: Actor,
        run: str = "",
        started_ms: int | None = None,
        tags: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Run:
        """Begin a run.

        Args:
            experiment: Its id.
            run: Its id: a letter or digit, then up to 255 of these, `_` and `-`; empty: a new one. Opening the same run
                again, by the same actor in the same experiment, gives the run that is there; what an attempt that
                failed halfway did not get to say about it is said then.
            tags: `mlflow.runName` is made up where it is not given.

        Raises:
            NotThere: No such experiment.
            Conflict: The experiment is deleted, or the id is taken.
            UsageError: The id, a name or a value breaks a rule.
        """
        tags, parameters = dict(tags or {}), dict(parameters or {})
        require_tags(tags)
        require_parameters(parameters)
        if not tags.get(NAME_TAG):
            tags[NAME_TAG] = made_up_name()
        self._require_experiment(experiment)
        now = self._store.now()
        began = now if started_ms is None else moment_of(started_ms, "started_ms")
        action = Action(
            id=require_id(run, "run") if run else action_id(now),
            kind=RUN,
            stage=STAGE,
            subject=experiment,
            by=by.by,
            parent=by.parent,
            at=iso(began),
        )
        begins = RunEvent(owner=action.id, tags=dict(tags), parameters=parameters)
        if run and (there := self._there(action)) is not None:
            return self._begun(there, begins)
        try:
            entry = self._store.ledger.append([action])
        except LawBroken:
            if (there := self._there(action)) is None:
                raise
            return self._begun(there, begins)
        self._logbook.owners.remember(action.id, entry)
        self._logbook.log(begins)
        head = RunHead(
            id=action.id,
            experiment=experiment,
            status=RunStatus.RUNNING,
            started_ms=milliseconds_of(began),
            by=by.by,
        )
        return Run(head=head, parameters=parameters, tags=tags)

    def close(
        self, run: str, status: RunStatus, *, by: Actor, ended_ms: int | None = None, note: str = ""
    ) -> Run:
        """End a run and seal its run log. A run that ended already gets the new end, and a new seal.

        Raises:
            NotThere: No such run.
            Conflict: It is deleted, or made by the engine.
            UsageError: The status is not one of a run that ended.
        """
        if status not in _OUTCOME:
            raise UsageError(f"run {run[:80]}: {status.value} is no end: give {', '.join(_OUTCOME)}")
        ended = self._store.now() if ended_ms is None else moment_of(ended_ms, "ended_ms")
        for attempt in range(3):
            found = self._changeable(run)
            artifact = seal_run(self._store, self._index, found)
            records: list[Record] = [artifact]
            closes = [] if found.head.sealed else [run]
            if found.head.sealed or found.head.by != by.by:  # else the Action says by whom
                records.append(step := self._step(CLOSE, run, by))
                closes.append(step.id)
            records += [
                Closing(action=each, outcome=_OUTCOME[status], made=(artifact.id,), note=note, at=iso(ended))
                for each in closes
            ]
            try:
                self._store.ledger.append(records)
                break
            except LawBroken:  # somebody closed it meanwhile
                if attempt == 2:
                    raise
        return self.find(run)

    def resume(self, run: str, *, by: Actor) -> Run:
        """Let a run that ended go on; one that has not ended is no error. Errors as `close`."""
        found = self._changeable(run)
        if not found.head.status.ended:
            return found
        decide_change(self._store, RESUME, (), by=by, subject=run, parent=run)
        return self.find(run)

    def set_deleted(self, run: str, deleted: bool, *, by: Actor) -> Run:
        """Delete a run, so that only those who ask for deleted ones find it, or restore it; NotThere."""
        found = self.find(run)
        if found.head.deleted == deleted:
            return found
        decide_change(self._store, DELETE if deleted else RESTORE, (), by=by, subject=run, parent=run)
        self._logbook.owners.forget(run)
        return self.find(run)

    def find(self, run: str) -> Run:
        """The run with this id, deleted or not; NotThere."""
        self._follower.catch_up()
        found = self._index.runs.find(run)
        if found is None:
            raise NotThere(f"no run has the id {run[:80]!r}")
        return found

    def search(self, query: Query) -> Page[Run]:
        """See the port."""
        self._follower.catch_up()
        return self._index.runs.search(query)

    def count(self, query: Query) -> int:
        """See the port."""
        self._follower.catch_up()
        return self._index.runs.count(query)

    def _require_experiment(self, experiment: str) -> None:
        self._follower.catch_up()
        found = self._index.experiments.find(experiment)
        if found is None:
            raise NotThere(f"no experiment has the id {experiment[:80]!r}")
        if found.deleted:
            raise Conflict(f"experiment {found.name!r} (id {found.id}) is deleted: restore it first")

    def _there(self, action: Action) -> Run | None:
        """The run that is there already, where it is the same one; Conflict where the id is another's."""
        before = self._store.ledger.find(action.id)
        if before is None:
            return None
        same = isinstance(before, Action) and (before.kind, before.stage, before.subject, before.by) == (
            action.kind,
            action.stage,
            action.subject,
            action.by,
        )
        if not same:
            raise Conflict(
                f"the id {action.id} is taken by something else: give the run another one, or none"
            )
        return self.find(action.id)

    def _begun(self, run: Run, begins: RunEvent) -> Run:
        """The run, with what it begins with: whoever opened it may have died after the Action and before the event."""
        if NAME_TAG in run.tags or run.head.deleted:
            return run
        self._logbook.log(begins)
        return self.find(run.head.id)

    def _changeable(self, run: str) -> Run:
        found = self.find(run)
        if found.head.stage:
            raise Conflict(
                f"run {run} was made by the engine: it begins and ends with its {found.head.stage} step"
            )
        if found.head.deleted:
            raise Conflict(f"run {run} is deleted: restore it first")
        return found

    def _step(self, kind: str, run: str, by: Actor) -> Action:
        now = self._store.now()
        return Action(
            id=action_id(now), kind=kind, stage=STAGE, subject=run, by=by.by, parent=run, at=iso(now)
        )
