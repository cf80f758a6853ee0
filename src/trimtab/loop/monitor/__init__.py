"""Monitor: served rows and their outcomes are sealed into windows and judged."""

from trimtab.engine.card import Card

CARD = Card(
    verb="monitor",
    sentence=(
        "Seals the prediction log and the outcomes into windows; judges drift, skew, quality, bias and age."
    ),
    takes=("window", "bundle", "traffic-plan", "profile", "reference", "feature-table"),
    gives=("window", "profile", "reference"),
    judges=(
        "drift.location",
        "drift.shape",
        "drift.missing",
        "drift.alien",
        "skew.training",
        "quality.loss",
        "quality.bias",
        "serving.errors",
        "serving.finite",
        "serving.age",
    ),
    decides=("monitor", "alert"),
    takes_from_outside=("prediction log", "outcomes"),
)
