"""A line chart in a terminal: lines with their letters, an axis on either side, gaps where there is no number."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from trimtab.cli.canvas import ACROSS, DOWN, Canvas, Cell
from trimtab.views.axis import log_ticks, nice_ticks, tick_words, whole_ticks
from trimtab.views.scale import drawable, reach, share

#: Characters of the drawing itself that a chart is never narrower or lower than.
LEAST_COLUMNS, LEAST_ROWS = 20, 4
#: Characters between two letters of one line.
_BETWEEN_LETTERS = 24


class Line(NamedTuple):
    """What is drawn with one pen."""

    letter: str
    x: Sequence[float]
    #: NaN and the infinities are gaps.
    y: Sequence[float]


class Chart(NamedTuple):
    """A drawn chart."""

    #: Lines of characters; those of the axes have the pen -1.
    lines: list[list[Cell]]
    #: Points that are no number, or no positive one on a log scale.
    left_out: int


#: A dot of the canvas.
Spot = tuple[int, int]


def line_chart(
    lines: Sequence[Line], *, columns: int, rows: int, log: bool = False, plain: bool = False
) -> Chart | None:
    """Draw lines over common axes.

    Args:
        columns: Of the whole chart, axes included, in characters.
        rows: Of the whole chart.
        log: Logarithmic y axis.
        plain: Without Braille and box-drawing characters.

    Returns:
        None where no line has a point that can be drawn.
    """
    drawn = [drawable(line.x, line.y, log=log) for line in lines]
    points = [point for line in drawn for point in line if point is not None]
    left_out = sum(point is None for line in drawn for point in line)
    if not points:
        return None
    low, high = reach([y for _, y in points], log=log)
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    height = max(rows - 2, LEAST_ROWS)
    marks = (log_ticks if log else nice_ticks)(low, high, max(2, height // 3))
    names = tick_words(marks)
    margin = max(map(len, names), default=1)
    canvas = Canvas(max(columns - margin - 2, LEAST_COLUMNS), height, plain=plain)
    across, up = share(first, last), share(low, high, log=log)

    def spot(point: tuple[float, float]) -> Spot:
        return round(across(point[0]) * (canvas.width - 1)), round(up(point[1]) * (canvas.height - 1))

    spots = [[None if point is None else spot(point) for point in line] for line in drawn]
    for pen, line_spots in enumerate(spots):
        _draw(canvas, line_spots, pen)
    if len(lines) > 1:
        for pen, line_spots in enumerate(spots):
            _write_letters(canvas, line_spots, lines[pen].letter, pen)
    heights = [spot((first, mark))[1] for mark in marks]
    return Chart(
        _framed(canvas, dict(zip(heights, names, strict=True)), margin, (first, last), plain), left_out
    )


def sparkline(values: Sequence[float], width: int) -> str:
    """A line in one row of characters: the mean of each stretch of values; a space where there is none.

    >>> sparkline([0.0, 1.0, 2.0, 3.0], 4)
    '▁▃▆█'
    """
    count = min(width, len(values))
    stretches = [
        values[place * len(values) // count : (place + 1) * len(values) // count] for place in range(count)
    ]
    means = [_mean([value for value in stretch if math.isfinite(value)]) for stretch in stretches]
    known = [mean for mean in means if mean is not None]
    if not known:
        return " " * count
    low, reach = min(known), max(known) - min(known)
    return "".join(
        " " if mean is None else "▁▂▃▄▅▆▇█"[round((mean - low) / reach * 7) if reach > 0 else 3]
        for mean in means
    )


def _mean(values: list[float]) -> float | None:
    # Divided first: the sum of two numbers near the end of the scale has none.
    return sum(value / len(values) for value in values) if values else None


def _draw(canvas: Canvas, spots: Sequence[Spot | None], pen: int) -> None:
    before = None
    for spot in spots:
        if spot is not None:
            canvas.line(before or spot, spot, pen)
        before = spot


def _write_letters(canvas: Canvas, spots: Sequence[Spot | None], letter: str, pen: int) -> None:
    """A letter at a line's end and others along it, each line's a little aside from those of the line before."""
    known = [spot for spot in spots if spot is not None]
    if not known:
        return
    end = known[-1][0] - 2 * ACROSS * pen
    step = _BETWEEN_LETTERS * ACROSS
    written = 0
    for x in range(end, known[0][0] - 1, -step):
        y = _height_at(spots, x)
        written += y is not None and canvas.letter(x, y, letter, pen)
    if not written:
        canvas.letter(*known[-1], letter, pen)


def _height_at(spots: Sequence[Spot | None], x: int) -> int | None:
    """Where a line is at x; None where it has a gap there."""
    for before, after in pairwise(spots):
        if before is not None and after is not None and before[0] <= x <= after[0]:
            share = (x - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 1.0
            return round(before[1] + share * (after[1] - before[1]))
    return next((spot[1] for spot in spots if spot is not None and spot[0] == x), None)


def _framed(
    canvas: Canvas, marks: dict[int, str], margin: int, ends: tuple[float, float], plain: bool
) -> list[list[Cell]]:
    """The drawing with its axes: marks at the left, first and last x and round ones between below."""
    tee, side, corner, floor, foot = "+|+-+" if plain else "┤│└─┬"
    by_row = {(canvas.height - 1 - y) // DOWN: name for y, name in marks.items()}
    lines = []
    for row, cells in enumerate(canvas.lines()):
        name = by_row.get(row, "")
        lines.append([*_written(f"{name:>{margin}} {tee if name else side}"), *cells])
    across = share(*ends)
    choose = whole_ticks if all(isinstance(end, int) for end in ends) else nice_ticks
    ticks = choose(*ends, max(2, canvas.columns // 16))
    base, labels = [floor] * canvas.columns, [" "] * (canvas.columns + margin + 2)
    free = 0
    for tick, name in zip(ticks, tick_words(ticks), strict=True):
        column = round(across(tick) * (canvas.width - 1)) // ACROSS
        base[column] = foot
        start = min(max(column + margin + 2 - len(name) // 2, 0), len(labels) - len(name))
        if start >= free:
            labels[start : start + len(name)] = name
            free = start + len(name) + 1
    lines.append([*_written(" " * (margin + 1) + corner), *_written("".join(base))])
    lines.append(_written("".join(labels).rstrip()))
    return lines


def _written(text: str) -> list[Cell]:
    return [Cell(letter, -1) for letter in text]
