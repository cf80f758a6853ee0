"""Functions for executors to run in tests."""

import sys
from typing import Any

from trimtab.atoms.error import ModelRefused


class Overloaded(ModelRefused):
    """A class that only this module knows: over a process boundary it is what it derives from."""


def give_back(**arguments: Any) -> dict[str, Any]:
    """What was given."""
    return arguments


def count(to: int) -> int:
    """Say each number, then the sum."""
    for number in range(to):
        sys.stdout.write(f"at {number}\n")
    return sum(range(to))


def refuse(message: str) -> None:
    """End with an error for the user."""
    raise ModelRefused(message)


def refuse_privately(message: str) -> None:
    """End with an error whose class the caller may not know."""
    raise Overloaded(message)


def stumble(message: str) -> None:
    """End with an error that nobody foresaw."""
    raise RuntimeError(message)


def give_nan() -> float:
    """Something that JSON has no word for."""
    return float("nan")
