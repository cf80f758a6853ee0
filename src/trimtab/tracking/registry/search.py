"""Finding registered models and versions: conditions over what they say of themselves, held against all of them."""

import operator as operators
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from trimtab.atoms.error import UsageError
from trimtab.atoms.run_query import Comparison, Field, Order

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
    "IN": lambda value, wanted: value in wanted,
    "NOT-IN": lambda value, wanted: value not in wanted,
    "IS-NOT-NULL": lambda value, wanted: True,
}

Item = TypeVar("Item")
#: Attributes of one item by name; its tags.
Told = Callable[[Item], tuple[Mapping[str, Any], Mapping[str, str]]]


def found(items: Iterable[Item], where: Sequence[Comparison], told: Told[Item]) -> list[Item]:
    """The items for which every condition (as `tracking.filter.parse_filter` gives it) holds, in their order."""
    kept = list(items)
    for condition in where:
        holds = _condition(condition)
        kept = [item for item in kept if holds(*told(item))]
    return kept


def ordered(items: list[Item], order: Sequence[Order], told: Told[Item]) -> list[Item]:
    """The items in an order: the keys in turn, and of equal ones as they came.

    Raises:
        UsageError: A key is no attribute.
    """
    for key in reversed(order):
        if key.field is not Field.ATTRIBUTE:
            raise UsageError(f"the registry is not ordered by {key.field} {key.key!r}: order by an attribute")
        items = sorted(items, key=lambda item: told(item)[0][key.key], reverse=not key.ascending)
    return items


def _condition(condition: Comparison) -> Callable[[Mapping[str, Any], Mapping[str, str]], bool]:
    wanted: Any = condition.value
    if condition.operator == "IS-NULL":
        return lambda attributes, tags: _value(condition, attributes, tags) is None
    if condition.operator in ("LIKE", "ILIKE"):
        compare: Callable[[Any, Any], bool] = _like
        wanted = _Like(str(wanted), re.IGNORECASE if condition.operator == "ILIKE" else 0)
    else:
        compare = _COMPARE[condition.operator]

    def holds(attributes: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
        value = _value(condition, attributes, tags)
        return value is not None and compare(value, wanted)

    return holds


def _value(condition: Comparison, attributes: Mapping[str, Any], tags: Mapping[str, str]) -> Any:
    return tags.get(condition.key) if condition.field is Field.TAG else attributes[condition.key]


def _like(value: Any, pattern: "_Like") -> bool:
    return pattern.matches(str(value))


class _Like:
    """`%` is any text, `_` any character. Each piece is looked for once from where the last one ended: no pattern can
    make it slow.
    """

    def __init__(self, pattern: str, flags: int) -> None:
        pieces = pattern.split("%")
        self._pieces = [
            re.compile("".join("." if each == "_" else re.escape(each) for each in piece), flags | re.DOTALL)
            for piece in pieces
        ]
        self._last_length = len(pieces[-1])

    def matches(self, text: str) -> bool:
        """Whether the whole text is of the pattern."""
        first, *others = self._pieces
        if not others:
            return first.fullmatch(text) is not None
        match, last = first.match(text), others.pop()
        for piece in others:
            if match is None:
                return False
            match = piece.search(text, match.end())
        # A piece has one length, so the last one can stand in one place only.
        place = len(text) - self._last_length
        return match is not None and place >= match.end() and last.fullmatch(text, place) is not None
