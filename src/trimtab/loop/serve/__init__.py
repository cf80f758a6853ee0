"""Serve: a bundle answers over HTTP under the traffic plan, and every answer is logged."""

from trimtab.engine.card import Card

CARD = Card(
    verb="serve",
    sentence="Answers requests over HTTP under the traffic plan and logs every input, answer and exception.",
    takes=("bundle", "traffic-plan"),
    gives=(),
    judges=(),
    decides=(),
    takes_from_outside=("request",),
)
