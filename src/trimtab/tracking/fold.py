"""The fold of the ledger: experiments, heads of runs and of logged models, and what their Actions say of them."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.change import Change
from trimtab.atoms.content.run_log import RunLog
from trimtab.atoms.entry import Entry
from trimtab.atoms.instant import parse_instant
from trimtab.atoms.run import Experiment, LoggedModelHead, ModelStatus, RunHead, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex, Tracked
from trimtab.tracking.batch import Batch
from trimtab.tracking.decision import STAGE
from trimtab.tracking.engine_run import EngineRuns
from trimtab.tracking.rule import microseconds_of, milliseconds_of

#: Kind of the Action that a run is: its subject is the experiment, its moment when the run began.
RUN = "run"
#: Kinds of the Actions that change a run, their parent.
CLOSE, RESUME, DELETE, RESTORE = "close-run", "resume-run", "delete-run", "restore-run"
#: What a Change may be about, as far as this fold knows it.
EXPERIMENT, LOGGED_MODEL = "experiment", "logged-model"

#: How a run stands whose Action closed so.
STATUS = {
    Outcome.DONE: RunStatus.FINISHED,
    Outcome.FAILED: RunStatus.FAILED,
    Outcome.ABANDONED: RunStatus.KILLED,
}
#: Open Actions that are remembered.
_MOST_ACTIONS = 10_000


def is_run(action: Action) -> bool:
    """Whether an Action is a run that somebody logs by hand: open for as long as he likes, and nobody's step."""
    return action.stage == STAGE and action.kind == RUN


class Fold:
    """Turns entries into what the index takes in: the same entries on the same index give the same."""

    def __init__(self, store: Store, index: RunIndex) -> None:
        self._store, self._index = store, index
        #: Open Actions by id; one that is not here is looked up.
        self._actions: dict[str, Action] = {}

    def take(self, entries: Iterable[Entry]) -> list[Tracked]:
        """What consecutive entries say, on top of what the index holds now."""
        batch = Batch(self._index)
        engine = EngineRuns(self._store, batch)
        artifacts: dict[str, Artifact] = {}
        for entry in entries:
            record = entry.record
            if isinstance(record, Artifact):
                artifacts[record.id] = record
                engine.on_artifact(record)
            elif isinstance(record, Action):
                if len(self._actions) >= _MOST_ACTIONS:
                    self._actions.clear()
                self._actions[record.id] = record
                if record.stage != STAGE:
                    engine.on_action(record)
                elif is_run(record):
                    batch.put(_opened(record))
            elif isinstance(record, Closing):
                action = self._actions.pop(record.action, None) or self._found(record.action)
                if action.stage == STAGE:
                    made = [artifacts.get(item) or self._store.artifact(item) for item in record.made]
                    self._on_closing(batch, action, record, made)
                else:
                    engine.on_closing(action, record)
        return batch.tracked()

    def _found(self, action: str) -> Action:
        found = self._store.ledger.find(action)
        assert isinstance(found, Action)  # the ledger's law: a Closing comes after its Action
        return found

    def _on_closing(self, batch: Batch, action: Action, closing: Closing, made: list[Artifact]) -> None:
        run = action.id if action.kind == RUN else action.parent or ""
        if action.kind in (RUN, CLOSE, RESUME, DELETE, RESTORE):
            if (head := batch.run(run)) is not None:
                batch.put(_run_after(head, action, closing, made))
            return
        for artifact in made:
            if artifact.kind == Change.kind:
                change = self._store.read(artifact.id, Change)
                if change.what == EXPERIMENT:
                    _change_experiment(batch, action, change)
                elif change.what == LOGGED_MODEL:
                    _change_model(batch, action, change)


def _opened(action: Action) -> RunHead:
    return RunHead(
        id=action.id,
        experiment=action.subject,
        status=RunStatus.RUNNING,
        started_ms=milliseconds_of(parse_instant(action.at)),
        by=action.by,
        note=action.note,
    )


def _run_after(head: RunHead, action: Action, closing: Closing, made: list[Artifact]) -> RunHead:
    if action.kind == RESUME:
        return replace(head, status=RunStatus.RUNNING, ended_ms=None)
    if action.kind in (DELETE, RESTORE):
        return replace(head, deleted=action.kind == DELETE)
    sealed = [artifact.id for artifact in made if artifact.kind == RunLog.kind]
    return replace(
        head,
        status=STATUS[closing.outcome],
        ended_ms=milliseconds_of(parse_instant(closing.at)),
        note=closing.note,
        sealed=sealed[0] if sealed else None,
    )


def _change_experiment(batch: Batch, action: Action, change: Change) -> None:
    """Apply a change of an experiment; one that lost against another with the same name or id is passed over."""
    before, values = batch.experiment(change.id), change.values
    at_ms = milliseconds_of(parse_instant(action.at))
    name = values.get("name")
    if name is not None and (other := batch.experiment(name=name)) is not None and other.id != change.id:
        return
    if change.does == "create":
        if before is None:
            tags = values.get("tags", {})
            batch.put(
                Experiment(id=change.id, name=name or "", created_ms=at_ms, updated_ms=at_ms, tags=tags)
            )
        return
    if before is None:
        return
    deleted = values.get("deleted", before.deleted)
    batch.put(
        replace(
            before,
            name=name or before.name,
            deleted=deleted,
            updated_ms=at_ms,
            tags=_tags_after(before.tags, values.get("tags", {})),
        )
    )
    if deleted != before.deleted:
        for run in list(batch.runs_of(change.id)):
            batch.put(replace(run, deleted=deleted))


def _tags_after(tags: dict[str, str], changes: dict[str, Any]) -> dict[str, str]:
    return {key: value for key, value in {**tags, **changes}.items() if value is not None}


def _change_model(batch: Batch, action: Action, change: Change) -> None:
    before, values = batch.model(change.id), change.values
    moment = parse_instant(action.at)
    at_ms = milliseconds_of(moment)
    if change.does == "create":
        if before is not None:
            return
        batch.put(
            LoggedModelHead(
                id=change.id,
                experiment=values["experiment"],
                name=values["name"],
                type=values["type"],
                run=values["run"],
                created_ms=at_ms,
                updated_ms=at_ms,
            )
        )
        if values["parameters"] or values["tags"]:
            batch.put(
                RunEvent(
                    owner=change.id,
                    parameters=values["parameters"],
                    tags=values["tags"],
                    at_us=microseconds_of(moment),
                )
            )
    elif before is not None and change.does == "finish":
        status, note = ModelStatus(values["status"]), values["note"]
        batch.put(replace(before, status=status, note=note, updated_ms=at_ms))
    elif before is not None and change.does == "delete":
        batch.put(replace(before, deleted=True, updated_ms=at_ms))
