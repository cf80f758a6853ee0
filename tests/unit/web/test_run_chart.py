"""Charts of runs as SVG: inside their frame, whatever the numbers are."""

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from trimtab.web.run_chart import HEIGHT, WIDTH, RunLine, run_chart

STEPS = list(range(50))


def spots(drawing: str) -> list[tuple[float, float]]:
    """Every corner of every line."""
    found = re.findall(r'points="([^"]+)"', drawing)
    return [tuple(map(float, spot.split(","))) for line in found for spot in line.split()]  # type: ignore[misc]


def line(values: list[float], letter: str = "", name: str = "") -> RunLine:
    return RunLine(letter, name, list(range(len(values))), values)


@pytest.mark.parametrize(
    "values",
    [
        [0.5, 0.25],
        [-1.7e308, 1.7e308],
        [0.0, 5e-324],
        [1.0] * 10,
        [1e9 + step for step in STEPS],
        [math.nan if step % 7 == 0 else math.inf if step % 11 == 0 else float(step) for step in STEPS],
    ],
    ids=["two", "widest", "least", "flat", "large", "gaps"],
)
@pytest.mark.parametrize("log", [False, True])
def test_a_line_stays_inside_its_frame(values: list[float], log: bool) -> None:
    drawing = run_chart("loss", [line(values)], log=log)
    if not drawing:
        assert log
        assert not any(value > 0 for value in values)
        return
    ElementTree.fromstring(drawing)
    assert all(40 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in spots(drawing))
    assert "nan" not in drawing.lower()
    assert "inf" not in drawing


def test_lines_that_end_at_one_place_have_letters_at_several() -> None:
    names = "abcdefghij"
    drawing = run_chart("loss", [line([1.0, 0.5], letter, f"run {letter}") for letter in names])
    letters = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" class="letter pen-(\d)"[^>]*>(.)<', drawing)
    assert [letter for *_, letter in sorted(letters, key=lambda each: each[2])] == list(names)
    heights = sorted(float(y) for _, y, *_ in letters)
    assert all(after - before >= 8 for before, after in pairwise(heights)), heights


def test_a_point_alone_is_a_dot() -> None:
    drawing = run_chart("loss", [line([1.0, math.nan, 2.0, math.nan, 3.0, 4.0])])
    assert drawing.count("<circle") == 2
    assert drawing.count('class="value"') == 1


def test_the_pointer_is_told_the_numbers_of_every_line() -> None:
    drawing = run_chart("loss", [line([0.5, 0.25], "a", "first <i>"), line([0.75, 0.125], "b", "second")])
    assert "a first &lt;i&gt; 0.25\nb second 0.125" in drawing


def test_nothing_to_draw_is_empty() -> None:
    assert run_chart("loss", [line([]), line([math.nan])]) == ""
    assert run_chart("loss", [line([-1.0, 0.0])], log=True) == ""


def test_steps_are_whole_and_seconds_are_not() -> None:
    steps = run_chart("loss", [RunLine("", "", [0, 1, 2], [1.0, 2.0, 3.0])])
    assert re.findall(r'text-anchor="middle"[^>]*>([^<]+)<', steps) == ["0", "1", "2"]
    seconds = run_chart("loss", [RunLine("", "", [0.0, 1.0, 2.0], [1.0, 2.0, 3.0])], across="seconds")
    assert "0.5" in re.findall(r'text-anchor="middle"[^>]*>([^<]+)<', seconds)
