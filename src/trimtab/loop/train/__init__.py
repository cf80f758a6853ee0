"""Train: a feature table becomes a model, with all that is needed to make it again."""

from trimtab.engine.card import Card

CARD = Card(
    verb="train",
    sentence="Fits the project's estimator on validated rows, the newest held back; records all that made the model.",
    takes=("feature-table", "retrain-order"),
    gives=("model", "run-log"),
    judges=("train.enough_rows", "train.finite"),
    decides=("train",),
)
