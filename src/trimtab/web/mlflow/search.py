"""Questions of MLflow's protocol as queries."""

from collections.abc import Sequence
from typing import Literal

from trimtab.atoms.run_query import Comparison, Deleted, Order
from trimtab.tracking.filter import parse_filter, parse_order
from trimtab.web.route import Refused

#: What is asked about.
Subject = Literal["runs", "experiments", "models"]

_VIEWS = {
    "ACTIVE_ONLY": Deleted.LEFT_OUT,
    "DELETED_ONLY": Deleted.ONLY,
    "ALL": Deleted.TOO,
    "1": Deleted.LEFT_OUT,
    "2": Deleted.ONLY,
    "3": Deleted.TOO,
}


def conditions(text: str | None, of: Subject) -> tuple[Comparison, ...]:
    """The conditions of a filter; none where it is empty. UsageError says what is wrong with it."""
    return parse_filter(text, of=of) if text and text.strip() else ()


def orders(texts: Sequence[str] | None, of: Subject) -> tuple[Order, ...]:
    """The keys of an order. UsageError says what is wrong with it."""
    return parse_order(texts, of=of) if texts else ()


def deleted_of(view: str | int | None) -> Deleted:
    """Which of the living and the deleted a client wants to see; Refused where it says neither."""
    if view is None:
        return Deleted.LEFT_OUT
    found = _VIEWS.get(str(view))
    if found is None:
        raise Refused(400, f"view type {str(view)[:60]!r} is none of ACTIVE_ONLY, DELETED_ONLY and ALL")
    return found
