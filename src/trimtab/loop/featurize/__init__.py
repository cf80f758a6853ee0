"""Featurize: rows become features, point in time correct, by the code that serving runs too."""

from trimtab.engine.card import Card

CARD = Card(
    verb="featurize",
    sentence="Joins feature views point in time and computes request features, for training and for serving alike.",
    takes=("snapshot", "retrain-order"),
    gives=("feature-table",),
    judges=("features.leakage", "features.parity"),
    decides=("materialize",),
)
