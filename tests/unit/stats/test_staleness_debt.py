"""Laws of the debt."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.stats.staleness_debt import staleness_debt

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)

SPANS = st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10), st.integers(0, 1000)), max_size=20)


@LAW
@given(SPANS, st.floats(0, 10))
def test_debt_never_falls_and_is_the_sum(spans: list[tuple[float, float, int]], value: float) -> None:
    """A good span pays nothing back."""
    loss, fresh, rows = np.array(spans).reshape(-1, 3).T
    debt = staleness_debt(loss, fresh, rows, value)
    assert np.all(np.diff(debt) >= 0)
    if spans:
        assert debt[-1] == pytest.approx(sum(max(0.0, a - b) * n * value for a, b, n in spans))


def test_what_is_not_known_adds_nothing() -> None:
    """Spans whose outcomes have not come."""
    assert staleness_debt([math.nan, 0.5], [0.1, 0.4], [10, 10]).tolist() == pytest.approx([0.0, 1.0])
    assert staleness_debt([], [], []).size == 0


def test_mistakes_are_refused() -> None:
    """Negative rows or values, other lengths."""
    with pytest.raises(ValueError, match="0 or more"):
        staleness_debt([1.0], [0.5], [-1])
    with pytest.raises(ValueError, match="0 or more"):
        staleness_debt([1.0], [0.5], [1], value_per_loss=math.nan)
    with pytest.raises(ValueError, match="rows differ"):
        staleness_debt([1.0], [0.5, 0.4], [1])
