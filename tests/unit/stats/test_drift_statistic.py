"""Laws of the drift statistics, and their null distribution."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from trimtab.stats.drift_statistic import location_shift, shape_shift, share_shift

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)

PAIR = st.integers(1, 12).flatmap(
    lambda bins: st.tuples(*[st.lists(st.integers(0, 500), min_size=bins, max_size=bins)] * 2)
)


@LAW
@given(PAIR)
def test_location_is_bounded_and_shape_is_the_divergence_less_its_expectation(
    pair: tuple[list[int], list[int]],
) -> None:
    """The formulas of science.md, against scipy's divergence."""
    current, reference = pair
    location, shape = location_shift(current, reference), shape_shift(current, reference)
    if sum(current) == 0 or sum(reference) == 0:
        assert location is None
        assert shape is None
        return
    assert location is not None
    assert shape is not None
    noise = 1 / sum(current) + 1 / sum(reference)
    in_use = np.count_nonzero(np.array(current) + np.array(reference))
    divergence = float(jensenshannon(current, reference)) ** 2
    assert abs(location.value) <= 0.5 + 1e-12
    assert location.null_sd == pytest.approx(math.sqrt(noise / 12))
    assert shape.value == pytest.approx(divergence - (in_use - 1) * noise / 8, abs=1e-9)
    assert shape.null_sd == pytest.approx(math.sqrt(2 * (in_use - 1)) * noise / 8)
    assert (shape.n_current, shape.n_reference) == (sum(current), sum(reference))


@LAW
@given(PAIR)
def test_shape_is_symmetric_and_location_turns_with_the_axis(pair: tuple[list[int], list[int]]) -> None:
    """Swapping the sides keeps the shape; turning the bins around turns the location's sign."""
    current, reference = pair
    if sum(current) == 0 or sum(reference) == 0:
        return
    there, back = shape_shift(current, reference), shape_shift(reference, current)
    up, down = location_shift(current, reference), location_shift(current[::-1], reference[::-1])
    assert there is not None
    assert back is not None
    assert up is not None
    assert down is not None
    assert there.value == pytest.approx(back.value, abs=1e-12)
    assert up.value == pytest.approx(-down.value, abs=1e-12)


@LAW
@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 1000), st.integers(1, 1000))
def test_a_share_shift_is_signed_and_antisymmetric(x: int, y: int, n: int, m: int) -> None:
    """asin sqrt((x + .5)/(n + 1)) of one side less the other's."""
    x, y = min(x, n), min(y, m)
    shift, back = share_shift("missing", x, n, y, m), share_shift("missing", y, m, x, n)
    assert shift is not None
    assert back is not None
    angle = math.asin(math.sqrt((x + 0.5) / (n + 1))) - math.asin(math.sqrt((y + 0.5) / (m + 1)))
    assert shift.value == pytest.approx(angle)
    assert shift.value == pytest.approx(-back.value)
    assert shift.null_sd == pytest.approx(math.sqrt(1 / n + 1 / m) / 2)
    assert shift.name == "missing"


def test_null_sds_hold_in_simulation() -> None:
    """Under no change the readings have mean 0 and about the stated sd."""
    rng = np.random.default_rng(0)
    shares = np.full(22, 1 / 22)
    found: dict[str, list[float]] = {"location": [], "shape": [], "missing": []}
    for _ in range(600):
        current, reference = rng.multinomial(2000, shares), rng.multinomial(8000, shares)
        readings = (
            location_shift(current, reference),
            shape_shift(current, reference),
            share_shift("missing", rng.binomial(2000, 0.05), 2000, rng.binomial(8000, 0.05), 8000),
        )
        for reading in readings:
            assert reading is not None
            found[reading.name].append(reading.value / reading.null_sd)
    for name, z in found.items():
        assert abs(np.mean(z)) < 0.15, name
        assert 0.85 < np.std(z) < 1.15, name


def test_nothing_on_a_side_cannot_be_told() -> None:
    """No rows are neither good nor bad."""
    assert share_shift("alien", 0, 0, 1, 5) is None
    assert location_shift([0, 0], [1, 2]) is None
    assert shape_shift([], []) is None


@pytest.mark.parametrize("arguments", [(-1, 5, 0, 5), (6, 5, 0, 5), (0, 5, 9, 5)])
def test_more_events_than_rows_are_refused(arguments: tuple[int, int, int, int]) -> None:
    """A share above 1 is a mistake of the caller."""
    with pytest.raises(ValueError, match="is no share"):
        share_shift("missing", *arguments)


def test_different_bins_are_refused() -> None:
    """Counts over different edges do not compare."""
    with pytest.raises(ValueError, match="frozen"):
        shape_shift([1, 2], [1, 2, 3])


def test_a_column_of_one_value_does_not_move() -> None:
    """Shape 0 with sd 0, not an exception."""
    shape = shape_shift([0, 7, 0], [0, 9, 0])
    assert shape is not None
    assert (shape.value, shape.null_sd) == (0.0, 0.0)
