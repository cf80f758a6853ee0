"""Release: traffic moves to a new bundle step by step, and back at the first proof of harm."""

from trimtab.engine.card import Card

CARD = Card(
    verb="release",
    sentence="Moves traffic to a bundle through shadow and canary; rolls back at the first proof of harm.",
    takes=("bundle", "traffic-plan", "window"),
    gives=("traffic-plan",),
    judges=(
        "release.first",
        "shadow.errors",
        "shadow.agreement",
        "shadow.quality",
        "canary.errors",
        "canary.latency",
        "canary.answers",
        "release.exposure",
    ),
    decides=("judge", "shadow", "canary", "promote", "roll-back"),
)
