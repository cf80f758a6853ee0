"""What holds where several events say something of the same: it does not matter in which order they are taken in."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from trimtab.atoms.run import LoggedDataset, ModelLink

Thing = TypeVar("Thing", LoggedDataset, ModelLink)

_ENCODER = msgspec.msgpack.Encoder(order="sorted")


def tag_rank(at_us: int, value: str | None) -> tuple[int, bool, str]:
    """Of two sayings about a tag the one with the higher rank holds; None: the tag is taken away."""
    return at_us, value is not None, value or ""


def merged(
    things: list[Thing], moments: list[tuple[int, int]], told: Iterable[Thing], at_us: int
) -> tuple[list[Thing], list[tuple[int, int]]]:
    """What is known with what was told at a moment: the first told first, each one as it was told last.

    Args:
        moments: First and last moment of each thing.
    """
    known = {_key(thing): (first, last, thing) for thing, (first, last) in zip(things, moments, strict=True)}
    for each in told:
        first, last, thing = known.get(_key(each), (at_us, at_us, each))
        if (at_us, _ENCODER.encode(each)) > (last, _ENCODER.encode(thing)):
            last, thing = at_us, each
        known[_key(each)] = (min(first, at_us), last, thing)
    in_order = [known[key] for key in sorted(known, key=lambda key: (known[key][0], key))]
    return [thing for _, _, thing in in_order], [(first, last) for first, last, _ in in_order]


def _key(thing: LoggedDataset | ModelLink) -> tuple[str, str]:
    return (thing.name, thing.digest) if isinstance(thing, LoggedDataset) else (thing.model, "")
