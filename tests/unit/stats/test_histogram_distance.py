"""Laws of the distances."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from trimtab.stats.histogram_distance import hellinger, jensen_shannon, psi

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)

PAIR = st.integers(1, 10).flatmap(
    lambda bins: st.tuples(*[st.lists(st.integers(0, 1000), min_size=bins, max_size=bins).filter(any)] * 2)
)


@LAW
@given(PAIR)
def test_symmetric_bounded_and_zero_on_itself(pair: tuple[list[int], list[int]]) -> None:
    """Each is a distance in its range."""
    p, q = pair
    for distance, most in ((hellinger, 1.0), (jensen_shannon, math.log(2)), (psi, math.inf)):
        assert distance(p, q) == pytest.approx(distance(q, p), abs=1e-9)
        assert 0 <= distance(p, q) <= most
        assert distance(p, p) == pytest.approx(0.0, abs=1e-9)


@LAW
@given(PAIR, st.integers(2, 9))
def test_only_shares_matter(pair: tuple[list[int], list[int]], times: int) -> None:
    """Counts and their multiples say the same."""
    p, q = pair
    for distance in (hellinger, jensen_shannon, psi):
        assert distance([times * x for x in p], q) == pytest.approx(distance(p, q), abs=1e-7)


@LAW
@given(PAIR)
def test_jensen_shannon_is_the_square_of_scipys(pair: tuple[list[int], list[int]]) -> None:
    """In nats."""
    assert jensen_shannon(*pair) == pytest.approx(float(jensenshannon(*pair)) ** 2, abs=1e-9)


@LAW
@given(PAIR)
def test_the_two_distances_bracket_one_another(pair: tuple[list[int], list[int]]) -> None:
    """H^2 ln 2 <= JS <= H^2 (Lin 1991; Topsoe 2000)."""
    squared = hellinger(*pair) ** 2
    assert jensen_shannon(*pair) <= squared + 1e-9
    assert jensen_shannon(*pair) >= squared * math.log(2) - 1e-9


def test_an_empty_side_cannot_be_told() -> None:
    """NaN, not an exception."""
    for distance in (hellinger, jensen_shannon, psi):
        assert math.isnan(distance([0, 0], [1, 2]))
        assert math.isnan(distance([], []))


def test_mistakes_are_refused() -> None:
    """Other bins, negative counts."""
    with pytest.raises(ValueError, match="same edges"):
        hellinger([1], [1, 2])
    with pytest.raises(ValueError, match="negative"):
        psi([-1, 2], [1, 2])
