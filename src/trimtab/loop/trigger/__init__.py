"""Trigger: windows, the clock, new data and code are weighed, and a retrain ordered or held back."""

from trimtab.engine.card import Card

CARD = Card(
    verb="trigger",
    sentence=(
        "Weighs failing checks, the calendar, new data and new code against "
        "cool-down and budget; orders a retrain or holds."
    ),
    takes=("window", "snapshot", "bundle", "traffic-plan"),
    gives=("retrain-order",),
    judges=(
        "trigger.schedule",
        "trigger.new_data",
        "trigger.failing_check",
        "trigger.code_change",
        "trigger.cool_down",
        "trigger.in_flight",
        "trigger.enough_data",
        "trigger.failures",
    ),
    decides=("weigh", "retrain", "hold"),
)
