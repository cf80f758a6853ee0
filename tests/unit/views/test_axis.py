"""Axes: round marks, not too many, all inside."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from trimtab.views.axis import log_ticks, nice_ticks, tick_words, time_ticks

START = datetime(2013, 3, 2, 13, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (-0.05, 0.05), (0.41, 0.56), (1e-7, 3e-7), (990, 1_010_000), (-3, -1), (1e-17, 3e-17)],
)
def test_value_marks_are_round_even_and_inside(low: float, high: float) -> None:
    ticks = nice_ticks(low, high, 5)
    assert 2 <= len(ticks) <= 7
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)
    steps = {round((after - before) / (high - low), 9) for before, after in pairwise(ticks)}
    assert len(steps) == 1


def test_a_point_is_its_own_mark() -> None:
    assert nice_ticks(0.4, 0.4, 5) == [0.4]


@pytest.mark.parametrize("days", [0.1, 1, 3, 10, 30, 60, 300, 1000])
@pytest.mark.parametrize("most", [4, 9])
def test_time_marks_are_inside_in_order_and_few(days: float, most: int) -> None:
    end = START + days * 86400
    ticks = time_ticks(START, end, most)
    assert len(ticks) <= most + 1
    assert all(START <= tick.at <= end for tick in ticks)
    assert [tick.at for tick in ticks] == sorted({tick.at for tick in ticks})


def test_a_year_is_marked_by_months() -> None:
    labels = [tick.label for tick in time_ticks(START, START + 300 * 86400, 12)]
    assert labels[0] == "Apr 2013"
    assert labels[1:3] == ["May", "Jun"]


@pytest.mark.parametrize(
    ("low", "high"),
    [(0.02, 40), (1e-9, 1e9), (0.31, 0.44), (1, 10), (3, 3), (1e-320, 1.7e308), (8e307, 1.79e308)],
)
def test_marks_of_a_log_scale_are_inside_and_few(low: float, high: float) -> None:
    ticks = log_ticks(low, high, 5)
    assert 1 <= len(ticks) <= 7
    assert all(low * (1 - 1e-6) <= tick <= high * (1 + 1e-6) for tick in ticks)


@pytest.mark.parametrize(
    ("ticks", "said"),
    [
        ([0.45, 0.5, 0.55], ["0.45", "0.50", "0.55"]),
        ([0.0, 50.0, 100.0], ["0", "50", "100"]),
        ([0.0, 5000.0, 10000.0], ["0", "5k", "10k"]),
        ([0.001, 0.01, 0.1], ["0.001", "0.01", "0.1"]),
        ([-0.2, 0.0, 0.2], ["-0.2", "0", "0.2"]),
        ([2e-7, 4e-7], ["2e-07", "4e-07"]),
        ([7.0], ["7"]),
        ([0.0], ["0"]),
    ],
)
def test_marks_have_the_digits_that_tell_them_apart(ticks: list[float], said: list[str]) -> None:
    assert tick_words(ticks) == said
