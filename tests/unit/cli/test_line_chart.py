"""Charts in the terminal: what is drawn is where it belongs, gaps are gaps, and lines are told apart."""

import math

import pytest

from trimtab.cli.canvas import Canvas
from trimtab.cli.line_chart import Chart, Line, line_chart, sparkline

STEPS = list(range(100))


def text(chart: Chart | None) -> list[str]:
    """The chart's lines as text."""
    assert chart is not None
    return ["".join(cell.text for cell in cells) for cells in chart.lines]


def inside(chart: Chart | None) -> list[str]:
    """What is right of the y axis and above the x axis."""
    lines = text(chart)
    left = max(line.find(mark) for line in lines[:-2] for mark in "│┤")
    return [line[left + 1 :] for line in lines[:-2]]


def test_a_dot_is_one_bit_of_its_character() -> None:
    canvas = Canvas(2, 1)
    for x, y, expected in ((0, 3, "⠁"), (3, 0, "⢀"), (0, 0, "⡁")):
        canvas.dot(x, y, 0)
        assert expected in "".join(cell.text for cell in canvas.lines()[0])
    canvas.dot(-1, 0, 0)
    canvas.dot(4, 0, 0)
    canvas.dot(0, 4, 0)
    assert "".join(cell.text for cell in canvas.lines()[0]) == "⡁⢀"


def test_a_line_has_no_hole() -> None:
    canvas = Canvas(10, 5)
    canvas.line((0, 0), (19, 13), 0)
    dots = {
        (column * 2 + (bit in (3, 4, 5, 7)), row)
        for row, cells in enumerate(canvas.lines())
        for column, cell in enumerate(cells)
        for bit in range(8)
        if cell.pen == 0 and (ord(cell.text) - 0x2800) >> bit & 1
    }
    assert {x for x, _ in dots} == set(range(20))


def test_what_falls_goes_from_the_upper_left_to_the_lower_right() -> None:
    drawn = inside(line_chart([Line("a", STEPS, [100.0 - x for x in STEPS])], columns=60, rows=14))
    assert drawn[0].strip()
    assert drawn[0].lstrip() == drawn[0], "the top row begins at the left"
    assert len(drawn[-1].rstrip()) > 45, "the lowest row ends at the right"
    assert not drawn[0][30:].strip()


def test_axes_are_marked_with_round_numbers() -> None:
    lines = text(line_chart([Line("a", STEPS, [x / 200 for x in STEPS])], columns=80, rows=16))
    marks = [line.split("┤")[0].strip() for line in lines if "┤" in line]
    assert marks == sorted(marks, reverse=True)
    assert set(marks) <= {"0", "0.1", "0.2", "0.3", "0.4", "0.5"}
    assert len(marks) >= 3
    assert "50" in lines[-1].split()
    assert lines[-2].count("┬") >= 2
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("missing", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_gap_and_is_counted(missing: float) -> None:
    values = [missing if 40 <= x < 60 else 1.0 + x / 100 for x in STEPS]
    chart = line_chart([Line("a", STEPS, values)], columns=106, rows=12)
    assert chart is not None
    assert chart.left_out == 20
    drawn = inside(chart)
    columns = [any(line[place : place + 1].strip() for line in drawn) for place in range(len(drawn[0]))]
    width = len(columns)
    assert not any(columns[int(width * 0.42) : int(width * 0.58)])
    assert all(columns[: int(width * 0.38)])
    assert all(columns[int(width * 0.62) :])


def test_a_log_scale_makes_a_straight_line_of_a_power_and_leaves_out_what_is_not_positive() -> None:
    values = [10.0 ** (x / 33) for x in STEPS]
    chart = line_chart([Line("a", STEPS, [*values[:-1], 0.0])], columns=70, rows=20, log=True)
    assert chart is not None
    assert chart.left_out == 1
    marks = [line.split("┤")[0].strip() for line in text(chart) if "┤" in line]
    assert {"1", "10", "100"} <= set(marks)
    drawn = inside(chart)
    middle = drawn[len(drawn) // 2]
    assert abs(len(middle) - len(middle.lstrip()) - len(middle) / 2) < 5
    assert line_chart([Line("a", [1, 2], [-1.0, 0.0])], columns=70, rows=20, log=True) is None


def test_lines_have_their_letters_and_pens() -> None:
    falling, rising = [1 - x / 100 for x in STEPS], [x / 100 for x in STEPS]
    chart = line_chart([Line("a", STEPS, falling), Line("b", STEPS, rising)], columns=80, rows=16)
    assert chart is not None
    found = {(cell.text, cell.pen) for cells in chart.lines for cell in cells if cell.text in "ab"}
    assert found == {("a", 0), ("b", 1)}
    drawn = inside(chart)
    assert drawn[0].rstrip().endswith("b") or "b" in drawn[0] + drawn[1]
    assert "a" in drawn[-1] + drawn[-2]
    alone = line_chart([Line("a", STEPS, falling)], columns=80, rows=16)
    assert not any("a" in line for line in text(alone)), "one line needs no letter"


def test_a_terminal_without_braille_gets_plain_characters() -> None:
    chart = line_chart([Line("a", STEPS, [float(x) for x in STEPS])], columns=60, rows=10, plain=True)
    "\n".join(text(chart)).encode("ascii")
    assert any("*" in line for line in text(chart))


@pytest.mark.parametrize(
    ("x", "y"),
    [([3], [0.5]), ([0, 1], [2.0, 2.0]), ([0, 1], [-1.7e308, 1.7e308]), ([0, 1], [0.0, 5e-324])],
)
@pytest.mark.parametrize("columns", [10, 60, 200])
def test_any_numbers_can_be_drawn(x: list[int], y: list[float], columns: int) -> None:
    lines = text(line_chart([Line("a", x, y)], columns=columns, rows=8))
    assert any(ord(letter) > 0x2800 for line in lines for letter in line)


def test_nothing_to_draw_is_said() -> None:
    assert line_chart([Line("a", [], []), Line("b", [1], [math.nan])], columns=60, rows=10) is None


def test_a_sparkline_follows_the_values() -> None:
    assert sparkline([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([float(x) for x in range(1000)], 10)[::9] == "▁█"
    assert len(sparkline([1.0] * 5, 24)) == 5
    assert sparkline([1.0, math.nan, 3.0], 3) == "▁ █"
    assert sparkline([math.nan], 4) == " "
    assert sparkline([1.7e308, 1.7e308], 1) == "▄"
    assert sparkline([], 8) == ""
