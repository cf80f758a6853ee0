"""The engine's own training runs, as runs of the experiment that is called as their model."""

from hashlib import sha256
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.canonical_json import canonical_json
from trimtab.atoms.content.model import TrainingFacts
from trimtab.atoms.content.run_log import RunLog
from trimtab.atoms.content.scorecard import ScoresOf
from trimtab.atoms.error import StoreError
from trimtab.atoms.instant import parse_instant
from trimtab.atoms.law import label
from trimtab.atoms.metric_point import Points, encode_points
from trimtab.atoms.run import COMMIT_TAG, NAME_TAG, USER_TAG, Experiment, RunHead, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.engine.store import Store
from trimtab.tracking.batch import ARTIFACT_TAG, Batch
from trimtab.tracking.rule import MOST_PARAMETER_CHARACTERS, microseconds_of, milliseconds_of

TRAIN = "train"
#: Tags of the engine's runs beside MLflow's.
CODE_TAG, GATE_TAG = "trimtab.code", "trimtab.gate"
_STATUS = {
    Outcome.DONE: RunStatus.FINISHED,
    Outcome.FAILED: RunStatus.FAILED,
    Outcome.ABANDONED: RunStatus.KILLED,
}


SomeStruct = TypeVar("SomeStruct", bound=msgspec.Struct)


class EngineRuns:
    """Takes `train` Actions, the scorecards of what they made, and the gate's decisions about it."""

    def __init__(self, store: Store, batch: Batch) -> None:
        self._store, self._batch = store, batch
        #: Scorecards that wait for the Closing that says when they were made.
        self._cards: dict[str, Artifact] = {}

    def on_artifact(self, artifact: Artifact) -> None:
        """Take note of a scorecard."""
        if artifact.kind == "scorecard":
            self._cards[artifact.id] = artifact

    def on_action(self, action: Action) -> None:
        """Take the beginning of a training run."""
        if action.stage != TRAIN or action.kind != TRAIN:
            return
        moment = parse_instant(action.at)
        experiment = self._experiment(action.subject, milliseconds_of(moment))
        self._batch.put(
            RunHead(
                id=action.id,
                experiment=experiment.id,
                status=RunStatus.RUNNING,
                started_ms=milliseconds_of(moment),
                by=action.by,
                stage=TRAIN,
                note=action.note,
            )
        )
        tags: dict[str, str | None] = {
            NAME_TAG: f"{TRAIN} {action.at[:16].replace('T', ' ')}",
            USER_TAG: action.by,
        }
        self._batch.put(RunEvent(owner=action.id, tags=tags, at_us=microseconds_of(moment)))

    def on_closing(self, action: Action, closing: Closing) -> None:
        """Take the end of a training run, of an evaluation, or of the gate's decision."""
        at_us = microseconds_of(parse_instant(closing.at))
        if action.stage == TRAIN and action.kind == TRAIN:
            self._end(action, closing, at_us)
            return
        for card in [self._cards.pop(made) for made in closing.made if made in self._cards]:
            self._score(card, at_us)
        if action.kind in ("bless", "refuse") and closing.outcome is Outcome.DONE:
            for taken in action.took:
                if self._store.artifact(taken).kind == "model" and (run := self._batch.trainer(taken)):
                    self._batch.put(RunEvent(owner=run, tags={GATE_TAG: action.kind}, at_us=at_us))

    def _experiment(self, model: str, at_ms: int) -> Experiment:
        found = self._batch.experiment(name=model) or self._batch.experiment(experiment_of(model))
        if found is None:
            found = Experiment(id=experiment_of(model), name=model, created_ms=at_ms, updated_ms=at_ms)
            self._batch.put(found)
        return found

    def _end(self, action: Action, closing: Closing, at_us: int) -> None:
        head = self._batch.run(action.id)
        if head is None:
            return
        sealed, note = None, closing.note
        for made in closing.made:
            artifact = self._store.artifact(made)
            try:
                if artifact.kind == "model":
                    self._batch.put(self._told_by_model(action.id, artifact, at_us))
                elif artifact.kind == RunLog.kind:
                    sealed = made
                    self._batch.put(self._told_by_log(action.id, artifact, at_us))
            except StoreError as error:
                # What is lost of one run must not hide all others; `trimtab fsck` names it too.
                note = f"{note} (not all of this run can be read: {error})".strip()
        self._batch.put(
            replace(head, status=_STATUS[closing.outcome], ended_ms=at_us // 1000, note=note, sealed=sealed)
        )

    def _told_by_model(self, run: str, artifact: Artifact, at_us: int) -> RunEvent:
        model = self._content(artifact, TrainingFacts)
        tags: dict[str, str | None] = {ARTIFACT_TAG: artifact.id, CODE_TAG: model.code}
        if model.environment.git_commit:
            tags[COMMIT_TAG] = model.environment.git_commit
        points = Points()
        points.add("rows_train", 0, float(model.rows_train), at_us)
        points.add("rows_holdout", 0, float(model.rows_holdout), at_us)
        return RunEvent(
            owner=run,
            parameters=_parameters({**model.parameters, "seed": model.seed}),
            tags=tags,
            points=encode_points(points),
            at_us=at_us,
        )

    def _told_by_log(self, run: str, artifact: Artifact, at_us: int) -> RunEvent:
        log = self._content(artifact, RunLog)
        points = Points()
        points.extend((metric, step, value, at_us) for metric, step, value in log.points)
        return RunEvent(
            owner=run,
            parameters=_parameters(log.parameters),
            tags=dict(log.tags),
            points=encode_points(points) if len(points) else b"",
            at_us=at_us,
        )

    def _score(self, artifact: Artifact, at_us: int) -> None:
        try:
            card = self._content(artifact, ScoresOf)
        except StoreError:
            return  # as above; which run it scored, nobody knows then
        run = self._batch.trainer(card.candidate)
        points = Points()
        for score in card.scores:
            if score.who == "challenger" and not score.where and score.value is not None:
                points.add(score.metric, 0, score.value, at_us)
        if run is not None and len(points):
            self._batch.put(RunEvent(owner=run, points=encode_points(points), at_us=at_us))

    def _content(self, artifact: Artifact, fields: type[SomeStruct]) -> SomeStruct:
        """The fields of a content that `fields` names; StoreError where it is missing or damaged."""
        try:
            return msgspec.json.decode(self._store.blobs.get(artifact.content), type=fields)
        except KeyError as error:
            raise StoreError(f"the content of {label(artifact)} is missing") from error


def experiment_of(model: str) -> str:
    """The id of the experiment that is made for a model's runs where none is called as it: 18 digits."""
    number = int.from_bytes(sha256(f"trimtab/experiment/{model}".encode()).digest()[:8], "big")
    return str(10**17 + number % (9 * 10**17))


def _parameters(values: dict[str, Any]) -> dict[str, str]:
    """Parameters as texts: a text is itself, all else is JSON."""
    texts = {
        key: value if isinstance(value, str) else canonical_json(value).decode()
        for key, value in values.items()
    }
    return {key: text[:MOST_PARAMETER_CHARACTERS] for key, text in texts.items()}
