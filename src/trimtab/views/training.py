"""Trainings: what was tried, with what, and how it scored."""

from typing import Any

import msgspec

from trimtab.atoms.action import Closing, Outcome
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.content.model import TrainingFacts
from trimtab.atoms.content.scorecard import ScoresOf
from trimtab.views.book import Book


class Training(msgspec.Struct, kw_only=True):
    """One `train` Action that ended."""

    #: Id of the Action.
    action: str
    #: The model's name.
    model: str
    at: str
    ended_at: str
    outcome: Outcome
    #: The error's message where it failed.
    note: str
    because: tuple[str, ...]
    #: Artifact id of what it made; None where it failed.
    artifact: str | None = None
    parameters: dict[str, Any] = {}
    seed: int | None = None
    rows_train: int = 0
    rows_holdout: int = 0
    #: Digest of the training and feature code.
    code: str = ""
    commit: str | None = None
    #: By metric, on rows that it never saw; empty until it was evaluated.
    metrics: dict[str, float | None] = {}
    #: `bless` or `refuse`, as the gate decided; empty before.
    gate: str = ""


class Trainings:
    """Trainings in the order in which they ended."""

    def __init__(self) -> None:
        self._trainings: list[Training] = []
        self._by_model: dict[str, Training] = {}

    def on_artifact(self, artifact: Artifact, book: Book) -> None:
        """Take a scorecard: the metrics of an earlier training."""
        if artifact.kind != "scorecard":
            return
        card = book.head(artifact.id, ScoresOf)
        training = self._by_model.get(card.candidate)
        if training is not None:
            training.metrics = {
                score.metric: score.value
                for score in card.scores
                if score.who == "challenger" and not score.where
            }

    def on_closing(self, closing: Closing, book: Book) -> None:
        """Take the end of a training, or of the gate's decision about one."""
        action = book.open_action(closing.action)
        if action is None:
            return
        if action.stage == "train" and action.kind == "train":
            training = Training(
                action=action.id,
                model=action.subject,
                at=action.at,
                ended_at=closing.at,
                outcome=closing.outcome,
                note=closing.note,
                because=action.because,
            )
            self._trainings.append(training)
            for trained in book.of_kind(closing.made, "model"):
                head = book.head(trained, TrainingFacts)
                training.artifact, training.parameters, training.seed = trained, head.parameters, head.seed
                training.rows_train, training.rows_holdout = head.rows_train, head.rows_holdout
                training.code, training.commit = head.code, head.environment.git_commit
                self._by_model[trained] = training
        elif action.kind in ("bless", "refuse") and closing.outcome is Outcome.DONE:
            for trained in book.of_kind(action.took, "model"):
                if trained in self._by_model:
                    self._by_model[trained].gate = action.kind

    def all(self, model: str | None = None) -> list[Training]:
        """Trainings that ended, oldest first, of one model or of all."""
        return [training for training in self._trainings if model in (None, training.model)]
