"""Parallel coordinates: what runs were given at the left, what came of it at the right, a line a run."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from trimtab.views.comparison import Comparison, of_machine
from trimtab.views.scale import share
from trimtab.views.short_number import short_number
from trimtab.web.svg import line, picture, tag, told, words

#: Axes of one drawing.
MOST_AXES = 8
_TOP, _BOTTOM, _BETWEEN, _EDGE = 34.0, 232.0, 132.0, 66.0
_LETTERS = "abcdefghij"


class _Axis(NamedTuple):
    name: str
    sort: str
    #: Height of each run's value from 0, the lowest mark, to 1; None where it has none.
    heights: tuple[float | None, ...]
    #: What each run has, in words.
    values: tuple[str, ...]
    #: Words of marks, by height.
    marks: tuple[tuple[float, str], ...]


def parallel_plot(comparison: Comparison) -> str:
    """Draw runs over the parameters and metrics that differ; empty where fewer than two of these do."""
    parameters = [_parameter_axis(row.name, row.values) for row in comparison.parameters if row.differs]
    metrics = [
        _number_axis(row.name, "metric", [None if each is None else each.value for each in row.values])
        for row in sorted(comparison.metrics, key=lambda row: row.better == 0)
        if row.differs and not of_machine(row.name)
    ]
    room = max(MOST_AXES - len(metrics), MOST_AXES // 2)
    axes = parameters[:room]
    axes += metrics[: MOST_AXES - len(axes)]
    if len(axes) < 2:
        return ""
    width = 2 * _EDGE + _BETWEEN * (len(axes) - 1)
    across = [_EDGE + _BETWEEN * place for place in range(len(axes))]
    parts = [tag("line", x1=x, x2=x, y1=_TOP, y2=_BOTTOM, class_="axis") for x in across]
    for pen, run in enumerate(comparison.runs):
        spots = [
            (x, _height(axis.heights[pen]))
            for axis, x in zip(axes, across, strict=True)
            if axis.heights[pen] is not None
        ]
        said = "\n".join(f"{axis.name} {axis.values[pen]}" for axis in axes)
        name = told(f"{_LETTERS[pen]} {run.name or run.head.id[:16]}\n{said}")
        dots = [tag("circle", cx=x, cy=y, r=3.0) for x, y in spots]
        parts.append(tag("g", name, line(spots, "value"), *dots, class_=f"pen pen-{pen}"))
        if spots:
            parts.append(words(_LETTERS[pen], spots[-1][0] + 8, spots[-1][1] + 4, f"letter pen-{pen}"))
    # Words last: no line may run through one.
    parts.extend(
        _axis_words(axis, x, place) for place, (axis, x) in enumerate(zip(axes, across, strict=True))
    )
    return picture(
        width, _BOTTOM + 14, "What the runs were given and what came of it", *parts, class_="parallel"
    )


def _height(at: float | None) -> float:
    return _BOTTOM - (at or 0.0) * (_BOTTOM - _TOP)


def _axis_words(axis: _Axis, x: float, place: int) -> str:
    parts = [words(said, x - 7, _height(at) + 4, "tick", "end") for at, said in axis.marks]
    title = axis.name if len(axis.name) <= 17 else axis.name[:16] + "…"
    parts.append(words(title, x, _TOP - (22 if place % 2 else 10), f"title {axis.sort}", "middle"))
    return tag("g", told(axis.name), *parts)


def _parameter_axis(name: str, values: Sequence[str | None]) -> _Axis:
    numbers = [_number(value) for value in values]
    if all(number is not None for number, value in zip(numbers, values, strict=True) if value is not None):
        return _number_axis(name, "parameter", numbers)
    texts = sorted({value for value in values if value is not None})
    place = {text: (index + 0.5) / len(texts) for index, text in enumerate(texts)}
    marks = tuple((place[text], text if len(text) <= 12 else text[:11] + "…") for text in texts)
    heights = tuple(None if value is None else place[value] for value in values)
    return _Axis(name, "parameter", heights, tuple(value or "–" for value in values), marks)


def _number_axis(name: str, sort: str, values: Sequence[float | None]) -> _Axis:
    known = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    place = share(low, high)
    heights = tuple(place(value) if value is not None and math.isfinite(value) else None for value in values)
    marks = (
        tuple((place(value), short_number(value)) for value in dict.fromkeys((low, high))) if known else ()
    )
    return _Axis(
        name, sort, heights, tuple("–" if value is None else short_number(value) for value in values), marks
    )


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return None
