"""Numbers as they stand in MLflow's JSON: protobuf writes whole ones and what is not finite as texts."""

import math

from trimtab.web.route import Refused

#: What a number may be written as; the JavaScript, Java and R clients do not agree.
Number = int | float | str

_MOST_WHOLE = (1 << 63) - 1
#: Milliseconds since 1970 whose microseconds still fit into 64 bits.
MOST_MILLISECONDS = _MOST_WHOLE // 1000
_TEXTS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def real(value: Number | None, field: str) -> float:
    """A number of 64 bits; `NaN`, `Infinity` and `-Infinity` stand for themselves.

    Raises:
        Refused: It is missing, or no number.
    """
    if value.__class__ is float:
        return value
    if value is None:
        raise missing(field)
    try:
        if isinstance(value, str):
            return _TEXTS[value] if value in _TEXTS else float(value)
        return float(value)
    except (ValueError, OverflowError) as error:
        raise Refused(400, f"{field}: {str(value)[:60]!r} is no number of 64 bits") from error


def whole(value: Number | None, field: str) -> int:
    """A whole number of 64 bits.

    Raises:
        Refused: It is missing, not whole, or too large.
    """
    if value is None:
        raise missing(field)
    try:
        number = int(value)
    except (ValueError, OverflowError) as error:
        raise Refused(400, f"{field}: {str(value)[:60]!r} is no whole number") from error
    if number != value and not isinstance(value, str):
        raise Refused(400, f"{field}: {str(value)[:60]!r} is no whole number")
    if not -_MOST_WHOLE - 1 <= number <= _MOST_WHOLE:
        raise Refused(400, f"{field}: {str(value)[:60]} does not fit into 64 bits")
    return number


def moment_us(value: Number | None, field: str) -> int:
    """Milliseconds of MLflow as microseconds.

    Raises:
        Refused: It is missing, before 1970, or further away than 64 bits of microseconds reach.
    """
    milliseconds = whole(value, field)
    if not 0 <= milliseconds <= MOST_MILLISECONDS:
        raise Refused(400, f"{field}: {milliseconds} is not between 0 and {MOST_MILLISECONDS} ms since 1970")
    return milliseconds * 1000


def written(value: float) -> float | str:
    """A number for an answer: JSON has no literal for what is not finite."""
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def missing(field: str) -> Refused:
    """What is said where a field that must be there is not."""
    return Refused(400, f"Missing value for required parameter '{field}'.", "INVALID_PARAMETER_VALUE")


def required(value: str | None, field: str) -> str:
    """A text that must be there and not be empty; Refused where it is not."""
    if not value:
        raise missing(field)
    return value


def page_limit(value: Number | None, field: str, default: int, most: int) -> int:
    """How many a page may hold; Refused outside of 1 to `most`."""
    if value is None:
        return default
    limit = whole(value, field)
    if not 1 <= limit <= most:
        raise Refused(
            400, f"Invalid value {limit} for parameter '{field}' supplied: it is from 1 to {most:,}."
        )
    return limit
