"""A stage that does what its card does not say is stopped at run time, and leaves nothing but the failure."""

from collections.abc import Callable

import draw_loop
import pytest

from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.atoms.error import LawBroken
from trimtab.engine.card import Card
from trimtab.engine.engine import Engine
from trimtab.engine.step import Step
from trimtab.engine.store import Store
from trimtab.engine.work import Work
from trimtab.testing.memory_store import memory_store

PLAN = TrafficPlan(model="late", champion="0" * 64, champion_version=1)


def run(store: Store, card: Card, kind: str, function: Callable[[Work], None]) -> None:
    Engine(store).run(Step(card=card, kind=kind, subject="late", by="person:test"), function)


def keep_plan(work: Work) -> None:
    work.keep(PLAN)


@pytest.mark.parametrize(
    "card", [card for card in draw_loop.cards() if card.decides], ids=lambda card: card.verb
)
def test_only_the_stage_whose_card_gives_it_makes_a_traffic_plan(card: Card) -> None:
    store = memory_store()
    if "traffic-plan" in card.gives:
        run(store, card, card.decides[0], keep_plan)
        return
    with pytest.raises(LawBroken, match=f"'{card.verb}' gives .*'traffic-plan' is not on its card"):
        run(store, card, card.decides[0], keep_plan)
    action, closing = (entry.record for entry in store.ledger.entries())
    assert isinstance(action, Action)
    assert isinstance(closing, Closing)
    assert closing.outcome is Outcome.FAILED
    assert "not on its card" in closing.note


def test_a_stage_decides_only_what_its_card_says() -> None:
    store = memory_store()
    ingest = draw_loop.cards()[0]
    with pytest.raises(LawBroken, match="'promote' is not on its card"):
        run(store, ingest, "promote", lambda work: None)
    assert store.ledger.head()[0] == 0, "nothing may be recorded of a decision that was refused"
