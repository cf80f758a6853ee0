"""Retrain orders, and how each ended."""

import msgspec

from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.content.retrain_order import RetrainOrder
from trimtab.atoms.content.traffic_plan import TrafficPlan
from trimtab.views.book import Book

IN_FLIGHT = "in flight"
PROMOTED = "promoted"
REFUSED = "refused"
ROLLED_BACK = "rolled back"
FAILED = "failed"

#: Failed steps after which an order is given up: the champion stays, and a person is wanted.
MOST_FAILURES = 3

#: Things that carry an order on, from the feature table that was made for it to the bundle.
_CARRIERS = {
    "featurize": ("feature-table",),
    "train": ("model",),
    "evaluate": ("scorecard",),
    "register": ("bundle",),
}


class RetrainState(msgspec.Struct, kw_only=True):
    """One order and what came of it."""

    #: Artifact id of the order.
    order: str
    model: str
    number: int
    reason: str
    as_of: str
    at: str
    because: tuple[str, ...]
    #: `in flight`, `promoted`, `refused`, `rolled back` or `failed` (tried again up to three times).
    outcome: str = IN_FLIGHT
    #: When the outcome was decided; empty while in flight.
    ended_at: str = ""
    #: The Action that decided the outcome.
    ended_by: str = ""
    #: How often a step of it failed.
    failures: int = 0
    #: Artifact id of the bundle that came of it.
    bundle: str | None = None


class Retrains:
    """Follows an order through feature table, model, scorecard and bundle to the release that ended it."""

    def __init__(self) -> None:
        self._orders: list[RetrainState] = []
        self._of: dict[str, RetrainState] = {}
        self._plans: dict[str, TrafficPlan] = {}

    def on_closing(self, closing: Closing, book: Book) -> None:
        """Take the end of any Action of the loop."""
        action = book.open_action(closing.action)
        if action is None:
            return
        if action.stage == "release":
            self._released(action, closing, book)
        elif action.kind == "retrain" and closing.outcome is Outcome.DONE:
            self._ordered(action, closing, book)
        else:
            state = self._order_of(action, book)
            if state is not None:
                self._moved(state, action, closing, book)

    def all(self, model: str | None = None) -> list[RetrainState]:
        """Orders, oldest first, of one model or of all."""
        return [state for state in self._orders if model in (None, state.model)]

    def open(self, model: str) -> RetrainState | None:
        """The newest order, where it is in flight or failed fewer than three times; else None."""
        newest = next((state for state in reversed(self._orders) if state.model == model), None)
        if newest is None:
            return None
        again = newest.outcome == FAILED and newest.failures < MOST_FAILURES
        return newest if newest.outcome == IN_FLIGHT or again else None

    def _ordered(self, action: Action, closing: Closing, book: Book) -> None:
        for made in book.of_kind(closing.made, "retrain-order"):
            order = book.head(made, RetrainOrder)
            state = RetrainState(
                order=made,
                model=order.model,
                number=order.number,
                reason=order.reason,
                as_of=order.as_of,
                at=closing.at,
                because=action.because,
            )
            self._orders.append(state)
            self._of[made] = state

    def _order_of(self, action: Action, book: Book) -> RetrainState | None:
        if not any(taken in self._of for taken in action.took):
            return None
        for kind in ("retrain-order", "model", "scorecard", "feature-table"):
            for taken in book.of_kind(action.took, kind):
                if taken in self._of:
                    return self._of[taken]
        return None

    def _moved(self, state: RetrainState, action: Action, closing: Closing, book: Book) -> None:
        if closing.outcome is Outcome.FAILED and action.stage in _CARRIERS:
            state.failures += 1
            self._end(state, FAILED, closing)
        elif closing.outcome is Outcome.DONE and action.kind == "refuse":
            self._end(state, REFUSED, closing)
        elif closing.outcome is Outcome.DONE:
            if state.outcome == FAILED:
                state.outcome, state.ended_at, state.ended_by = IN_FLIGHT, "", ""
            for kind in _CARRIERS.get(action.stage, ()):
                for made in book.of_kind(closing.made, kind):
                    self._of[made] = state
                    if kind == "bundle":
                        state.bundle = made

    def _released(self, action: Action, closing: Closing, book: Book) -> None:
        if closing.outcome is not Outcome.DONE:
            return
        for made in book.of_kind(closing.made, "traffic-plan"):
            plan = book.head(made, TrafficPlan)
            before = self._plans.get(plan.model)
            self._plans[plan.model] = plan
            promoted = self._of.get(plan.champion)
            if promoted is not None and promoted.outcome in (IN_FLIGHT, FAILED):
                self._end(promoted, PROMOTED, closing)
            if action.kind == "roll-back" and before is not None:
                for bundle in (before.challenger, before.champion):
                    state = self._of.get(bundle or "")
                    if state is not None and bundle not in (plan.champion, plan.challenger):
                        self._end(state, ROLLED_BACK, closing)

    @staticmethod
    def _end(state: RetrainState, outcome: str, closing: Closing) -> None:
        state.outcome, state.ended_at, state.ended_by = outcome, closing.at, closing.action
