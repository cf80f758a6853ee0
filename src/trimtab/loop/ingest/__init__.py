"""Ingest: a source's files become a snapshot, span by span."""

from trimtab.engine.card import Card

CARD = Card(
    verb="ingest",
    sentence="Reads a source's files into a snapshot by span; counts duplicates and late rows.",
    takes=("snapshot",),
    gives=("snapshot",),
    judges=("ingest.freshness", "ingest.duplicates"),
    decides=("ingest",),
    takes_from_outside=("source",),
)
