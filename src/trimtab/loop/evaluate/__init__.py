"""Evaluate: a model is scored on rows it never saw and held against champion and baseline."""

from trimtab.engine.card import Card

CARD = Card(
    verb="evaluate",
    sentence=(
        "Scores the model on rows it never saw, against the champion "
        "and a simple baseline, with intervals by day."
    ),
    takes=("model", "feature-table", "bundle"),
    gives=("scorecard",),
    judges=("quality.baseline", "quality.champion", "quality.slice", "quality.finite"),
    decides=("evaluate", "bless", "refuse"),
)
