"""Finding registered models and versions: conditions over what they say of themselves, held against all of them."""

import operator as operators
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from trimtab.atoms.error import UsageError
from trimtab.atoms.run_query import Comparison, Field, Order

_COMPARE = {
    "=": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}

Item = TypeVar("Item")
#: Attributes of one item by name; its tags.
Told = Callable[[Item], tuple[Mapping[str, Any], Mapping[str, str]]]


def found(items: Iterable[Item], where: Sequence[Comparison], told: Told[Item]) -> list[Item]:
    """The items for which every condition holds, in their order.

    Raises:
        UsageError: A condition cannot be held against such items.
    """
    kept = list(items)
    for condition in where:
        holds = _condition(condition)
        kept = [item for item in kept if holds(*told(item))]
    return kept


def ordered(items: list[Item], order: Sequence[Order], told: Told[Item]) -> list[Item]:
    """The items in an order: the keys in turn, and of equal ones as they came.

    Raises:
        UsageError: A key is no attribute of such items.
    """
    for key in reversed(order):
        if key.field is not Field.ATTRIBUTE:
            raise UsageError(
                f"the registry is not ordered by {key.field.value} {key.key!r}: order by an attribute"
            )
        items = sorted(items, key=lambda item: _attribute(told(item)[0], key.key), reverse=not key.ascending)
    return items


def _condition(condition: Comparison) -> Callable[[Mapping[str, Any], Mapping[str, str]], bool]:
    if condition.field not in (Field.ATTRIBUTE, Field.TAG):
        raise UsageError(
            f"the registry has no {condition.field.value}s to compare: name an attribute or a tag"
        )
    compare = _comparison(condition)

    def holds(attributes: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
        if condition.field is Field.TAG:
            value: Any = tags.get(condition.key)
        else:
            value = _attribute(attributes, condition.key)
        if condition.operator == "IS-NULL":
            return value is None
        return value is not None and compare(value)

    return holds


def _attribute(attributes: Mapping[str, Any], key: str) -> Any:
    if key not in attributes:
        raise UsageError(f"there is no attribute {key!r} here: there are {', '.join(attributes)}")
    return attributes[key]


def _comparison(condition: Comparison) -> Callable[[Any], bool]:
    operator, wanted = condition.operator, condition.value
    if operator == "IS-NOT-NULL":
        return lambda value: True
    if operator in ("LIKE", "ILIKE"):
        matches = _pattern(str(wanted), re.IGNORECASE if operator == "ILIKE" else 0)
        return lambda value: matches.fullmatch(str(value)) is not None
    if operator in ("IN", "NOT-IN"):
        among = set(wanted) if isinstance(wanted, tuple) else {str(wanted)}
        return lambda value: (str(value) in among) is (operator == "IN")
    return lambda value: _compared(operator, condition.key, value, wanted)


def _compared(operator: str, key: str, value: Any, wanted: Any) -> bool:
    if isinstance(value, int):
        try:
            wanted = float(wanted)
        except (TypeError, ValueError) as error:
            raise UsageError(f"{key} is a number, and cannot be compared with {wanted!r}") from error
    elif operator in ("=", "!="):
        wanted = str(wanted)
    else:
        raise UsageError(f"{key} is a text: compare it with = != LIKE ILIKE IN, not with {operator}")
    compare: Callable[[Any, Any], bool] = _COMPARE[operator]
    return compare(value, wanted)


def _pattern(like: str, flags: int) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(each, re.escape(each)) for each in like), flags | re.DOTALL)
