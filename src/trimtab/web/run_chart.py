"""Metrics of runs as line charts: a card each, with a letter at each line's end, and gaps where there is no number."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from trimtab.views.axis import log_ticks, nice_ticks, tick_words, whole_ticks
from trimtab.views.scale import Spot, drawable, reach, share
from trimtab.views.short_number import short_number
from trimtab.web.svg import line, picture, tag, told, words

#: Of the whole drawing, in its own units: as wide as a phone's screen, so that words keep their size there.
WIDTH, HEIGHT = 400.0, 216.0
#: Points of a line beyond which a picture of it is drawn.
MOST_POINTS = 800
_LEFT, _RIGHT, _TOP, _BOTTOM = 50.0, 384.0, 12.0, 186.0
#: Columns that tell their numbers when the pointer rests on them.
_COLUMNS = 40

Scale = Callable[[float], float]


class RunLine(NamedTuple):
    """One run's points of the metric."""

    #: What stands at its end; empty where it is the only one.
    letter: str
    #: What its numbers are told with.
    name: str
    x: Sequence[float]
    #: NaN and the infinities are gaps.
    y: Sequence[float]


def run_chart(metric: str, lines: Sequence[RunLine], *, across: str = "step", log: bool = False) -> str:
    """Draw a metric; empty where no point can be drawn.

    Args:
        lines: At most ten; the n-th one has the class `pen-n`.
        across: What x is, in a word.
        log: Logarithmic y axis: values that are not positive are gaps.
    """
    drawn = [drawable(each.x, each.y, log=log) for each in lines]
    points = [point for each in drawn for point in each if point is not None]
    if not points:
        return ""
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    low, high = reach([y for _, y in points], log=log)
    x = _between(share(first, last), _LEFT + 6, _RIGHT - (14 if len(lines) > 1 else 4))
    y = _between(share(low, high, log=log), _BOTTOM - 6, _TOP + 6)
    parts = [_frame((first, last), (low, high), x, y, across, log)]
    for pen, each in enumerate(drawn):
        spots = [None if point is None else (x(point[0]), y(point[1])) for point in each]
        parts.append(tag("g", *_strokes(spots), class_=f"pen pen-{pen}"))
    if len(lines) > 1:
        parts.append(_letters(lines, drawn, x, y))
    parts.append(_hover(lines, drawn, (first, last), x, across))
    label = (
        f"{metric} of {len(lines)} runs" if len(lines) > 1 else f"{metric} over {len(lines[0].x):,} points"
    )
    return picture(WIDTH, HEIGHT, label, *parts, class_="chart")


def _between(place: Callable[[float], float], start: float, end: float) -> Scale:
    return lambda value: start + place(value) * (end - start)


def _frame(across: Spot, up: Spot, x: Scale, y: Scale, name: str, log: bool) -> str:
    """The ground with round marks on both axes."""
    parts = [tag("rect", x=_LEFT, y=_TOP, width=_RIGHT - _LEFT, height=_BOTTOM - _TOP, class_="panel")]
    marks = (log_ticks if log else nice_ticks)(*up, 5)
    for mark, said in zip(marks, tick_words(marks), strict=True):
        parts.append(tag("line", x1=_LEFT, x2=_RIGHT, y1=y(mark), y2=y(mark), class_="grid"))
        parts.append(words(said, _LEFT - 6, y(mark) + 4, "tick", "end"))
    marks = whole_ticks(*across, 5) if all(isinstance(end, int) for end in across) else nice_ticks(*across, 5)
    for mark, said in zip(marks, tick_words(marks), strict=True):
        parts.append(tag("line", x1=x(mark), x2=x(mark), y1=_BOTTOM, y2=_BOTTOM + 4, class_="foot"))
        parts.append(words(said, x(mark), _BOTTOM + 17, "tick", "middle"))
    parts.append(words(name, _RIGHT, HEIGHT - 2, "tick name", "end"))
    return tag("g", *parts)


def _strokes(spots: Sequence[Spot | None]) -> Iterator[str]:
    """The line between gaps; a point that stands alone is a dot."""
    stretch: list[Spot] = []
    for spot in (*spots, None):
        if spot is not None:
            stretch.append(spot)
            continue
        if len(stretch) == 1:
            yield tag("circle", cx=stretch[0][0], cy=stretch[0][1], r=2.4)
        elif stretch:
            yield line(stretch, "value")
        stretch = []


def _letters(lines: Sequence[RunLine], drawn: Sequence[Sequence[Spot | None]], x: Scale, y: Scale) -> str:
    """Each line's letter at its end, moved apart where they would cover each other."""
    ends = []
    for pen, each in enumerate(drawn):
        known = [point for point in each if point is not None]
        if known:
            ends.append((x(known[-1][0]) + 4, y(known[-1][1]) + 4, pen))
    parts: list[str] = []
    taken: list[tuple[float, float]] = []
    for at, wanted, pen in sorted(ends, key=lambda end: end[1]):
        # The nearest height that is free, from where the line ends up and down.
        heights = (wanted + sign * step * 2 for step in range(80) for sign in (1, -1))
        free = (
            height
            for height in heights
            if _TOP + 8 <= height <= _BOTTOM - 1
            and not any(abs(at - left) < 9 and abs(height - top) < 11 for left, top in taken)
        )
        height = next(free, wanted)
        taken.append((at, height))
        parts.append(words(lines[pen].letter, at, height, f"letter pen-{pen}"))
    return tag("g", *parts)


def _hover(
    lines: Sequence[RunLine], drawn: Sequence[Sequence[Spot | None]], reach: Spot, x: Scale, across: str
) -> str:
    """Unseen columns, each of which tells the lines' numbers at its middle, and shows where that is."""
    known = [[point for point in each if point is not None] for each in drawn]
    fullest = max(known, key=len)
    every = max(1, math.ceil(len(fullest) / _COLUMNS))
    stops = sorted({point[0] for point in fullest[::every]} | {fullest[-1][0]})
    middles = [x(stop) for stop in stops]
    edges = [_LEFT, *((before + after) / 2 for before, after in pairwise(middles)), _RIGHT]
    parts = []
    for place, stop in enumerate(stops):
        said = [f"{across} {_plain_x(stop)}"]
        for each, points in zip(lines, known, strict=True):
            near = _nearest(points, stop, (reach[1] - reach[0]) / _COLUMNS)
            if near is not None:
                said.append(
                    f"{each.letter + ' ' if each.letter else ''}{each.name} {short_number(near)}".strip()
                )
        column = tag(
            "rect",
            x=edges[place],
            y=_TOP,
            width=max(edges[place + 1] - edges[place], 0.5),
            height=_BOTTOM - _TOP,
        )
        rule = tag("line", x1=middles[place], x2=middles[place], y1=_TOP, y2=_BOTTOM)
        parts.append(tag("g", told("\n".join(said)), column, rule))
    return tag("g", *parts, class_="hover")


def _nearest(points: Sequence[Spot], stop: float, within: float) -> float | None:
    near = min(points, key=lambda point: abs(point[0] - stop), default=None)
    return near[1] if near is not None and abs(near[0] - stop) <= within + 1e-9 else None


def _plain_x(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
