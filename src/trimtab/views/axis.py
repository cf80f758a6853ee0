"""Where an axis has its marks."""

import itertools
import math
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_DAY = 86400.0
#: Between these there are round numbers to step by.
_LEAST_STEP, _MOST_STEP = 1e-290, 1e300


class Tick(NamedTuple):
    """A mark on a time axis."""

    #: Seconds since 1970.
    at: float
    label: str


def nice_ticks(low: float, high: float, wanted: int) -> list[float]:
    """Round values between `low` and `high`, about `wanted` of them.

    >>> nice_ticks(0.41, 0.56, 4)
    [0.45, 0.5, 0.55]
    """
    # Halved, so that the whole scale of floats fits.
    rough = (high / 2 - low / 2) / wanted * 2
    if rough <= 0:
        return [low]
    if not _LEAST_STEP <= rough <= _MOST_STEP:
        return [low, high]
    power = math.floor(math.log10(rough))
    step = next(10.0**power * factor for factor in (1, 2, 5, 10) if 10.0**power * factor >= rough)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12 - min(power, 12)) for number in range(first, last + 1)]


def whole_ticks(low: float, high: float, wanted: int) -> list[float]:
    """As `nice_ticks`, whole numbers alone: there is nothing between two steps.

    >>> whole_ticks(0, 2, 5)
    [0.0, 1.0, 2.0]
    """
    return [tick for tick in nice_ticks(low, high, wanted) if float(tick).is_integer()]


def log_ticks(low: float, high: float, wanted: int) -> list[float]:
    """Powers of ten between `low` and `high` (both > 0); where there are few, also twice and five times them.

    >>> log_ticks(0.02, 40.0, 4)
    [0.1, 1.0, 10.0]
    """
    first, last = max(math.floor(math.log10(low)), -307), min(math.ceil(math.log10(high)), 308)
    powers = [10.0**power for power in range(first, last + 1)]

    def inside(values: list[float]) -> list[float]:
        return [value for value in values if low * (1 - 1e-9) <= value <= high / (1 - 1e-9) < math.inf]

    kept = inside(powers)
    if len(kept) > wanted:
        return kept[:: math.ceil(len(kept) / wanted)]
    if len(kept) < 2:
        kept = inside([power * factor for power in powers for factor in (1, 2, 5)])
    return kept if len(kept) >= 2 else nice_ticks(low, high, wanted)


def tick_words(ticks: list[float]) -> list[str]:
    """How marks are written: each with as many digits as tell them apart, and no more.

    >>> tick_words([0.45, 0.5, 0.55])
    ['0.45', '0.50', '0.55']
    >>> tick_words([0.0, 200000.0, 400000.0])
    ['0', '200k', '400k']
    """
    top = max((abs(tick) for tick in ticks), default=0.0)
    steps = [abs(after - before) for before, after in itertools.pairwise(ticks)]
    step = min((each for each in steps if each > 0), default=top or 1.0)
    if len(ticks) > 1 and max(steps) > step * 1.5:
        return [f"{tick:g}" for tick in ticks]
    if top < 1e-4 or top >= 1e13:
        return [f"{tick:.3g}" if tick else "0" for tick in ticks]
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, "")):
        if step * 1.0000001 >= size * 0.1 and top >= size * (10 if letter else 1):
            digits = max(0, -math.floor(math.log10(step / size) + 1e-9))
            return [f"{tick / size:.{digits}f}{letter}" if tick else "0" for tick in ticks]
    digits = min(12, max(0, -math.floor(math.log10(step) + 1e-9)))
    return [f"{tick:.{digits}f}" if tick else "0" for tick in ticks]


def time_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Beginnings of months, days or hours (UTC) between two moments, at most about `most`."""
    days = (high - low) / _DAY
    if days > 45:
        return _months(low, high, most)
    if days > 2:
        return _steps(low, high, most, (1, 2, 7, 14), _DAY, "%m-%d")
    return _steps(low, high, most, (1, 3, 6, 12), 3600.0, "%d %H:%M")


def _months(low: float, high: float, most: int) -> list[Tick]:
    month = datetime.fromtimestamp(low, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    starts = []
    while month.timestamp() <= high:
        if month.timestamp() >= low:
            starts.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    every = max(1, math.ceil(len(starts) / most))
    kept = [start for start in starts if (start.month - 1) % every == 0] if every < 12 else starts[::every]
    return [
        Tick(start.timestamp(), f"{start:%b %Y}" if place == 0 or start.month == 1 else f"{start:%b}")
        for place, start in enumerate(kept)
    ]


def _steps(low: float, high: float, most: int, sizes: tuple[int, ...], unit: float, form: str) -> list[Tick]:
    size = next((each * unit for each in sizes if (high - low) / (each * unit) <= most), sizes[-1] * unit)
    first = math.ceil(low / size)
    ticks: list[Tick] = []
    while first * size <= high and len(ticks) <= most:
        ticks.append(Tick(first * size, datetime.fromtimestamp(first * size, UTC).strftime(form)))
        first += 1
    return ticks
