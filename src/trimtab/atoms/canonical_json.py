"""The one byte form of a JSON value, so that equal values have equal digests (decision record 0001)."""

import json
import math
from typing import Any

import msgspec


def canonical_json(value: Any) -> bytes:
    """Write `value` in the only byte form that Trimtab digests or signs.

    Args:
        value: None, bool, int, finite float, str, and lists, tuples and str-keyed dicts of these.

    Returns:
        UTF-8: keys sorted by code point, no white space, floats in Python's shortest form, `-0.0` as `0.0`.

    Raises:
        ValueError: A float is NaN or infinite: JSON has no word for it.
        TypeError: A value or a key is of another type.

    >>> canonical_json({"b": 1.0, "a": [True, None, "é"]}).decode()
    '{"a":[true,null,"é"],"b":1.0}'
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def plain(record: msgspec.Struct) -> Any:
    """The JSON value of a record as reading it back gives it.

    A whole number in a float's place is that float: a record has one digest, before it was stored and after.
    """
    return msgspec.to_builtins(msgspec.convert(msgspec.to_builtins(record), type(record)))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be written as JSON: record None and say why")
        return value + 0.0
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"a JSON object's key must be text, not {type(key).__name__}: {key!r}")
        return {key: _plain(item) for key, item in value.items()}
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")
