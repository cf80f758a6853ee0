"""Validate: a span is profiled and held against the schema and the span before it."""

from trimtab.engine.card import Card

CARD = Card(
    verb="validate",
    sentence="Profiles each span, holds it against the schema and the span before it; bad spans are quarantined.",
    takes=("snapshot", "profile", "schema"),
    gives=("profile", "schema"),
    judges=(
        "schema.presence",
        "schema.type",
        "schema.missing",
        "schema.domain",
        "schema.range",
        "drift.adjacent",
    ),
    decides=("validate", "quarantine", "stop"),
)
