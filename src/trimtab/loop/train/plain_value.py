"""Parameters as JSON values, whatever number type a library made of them."""

import math
from collections.abc import Mapping
from typing import Any


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters so that they can be kept: numpy's numbers as numbers, what JSON lacks as text.

    >>> plain_values({"depth": 3, "rate": float("inf"), "layers": (8, 4)})
    {'depth': 3, 'rate': 'inf', 'layers': [8, 4]}
    """
    return {str(name): _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return plain_values(value)
    if hasattr(value, "item"):  # a numpy scalar
        return _plain(value.item())
    return repr(value)
