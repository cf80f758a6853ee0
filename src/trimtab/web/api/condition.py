"""Filters and orders in words."""

from trimtab.atoms.run_query import Comparison, Order
from trimtab.web.route import Refused


def parse_filter(text: str) -> tuple[Comparison, ...]:
    """The conditions of a filter."""
    if text.strip():
        raise Refused(501, "filters are not read yet")
    return ()


def parse_order(texts: list[str]) -> tuple[Order, ...]:
    """The keys of an order."""
    if texts:
        raise Refused(501, "orders are not read yet")
    return ()
