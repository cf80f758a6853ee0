"""Register: a blessed model is compiled, proved equal on real rows, signed."""

from trimtab.engine.card import Card

CARD = Card(
    verb="register",
    sentence="Compiles the model, proves on real rows that it answers like the trained one, packs and signs it.",
    takes=("model", "scorecard", "feature-table", "snapshot"),
    gives=("bundle",),
    judges=("parity.compiled", "parity.features", "budget.latency", "budget.size"),
    decides=("register", "refuse"),
)
