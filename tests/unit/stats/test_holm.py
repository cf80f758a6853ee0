"""Laws of Holm's adjustment."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.stats.holm import holm

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)

P_VALUES = st.lists(st.floats(0, 1), max_size=30)


@LAW
@given(P_VALUES)
def test_between_the_raw_p_and_bonferroni_in_the_same_order(p: list[float]) -> None:
    """p <= adjusted <= m p."""
    raw, adjusted = np.array(p), holm(p)
    assert np.all(adjusted >= raw)
    assert np.all(adjusted <= np.minimum(raw * len(p), 1) + 1e-12)
    assert np.all(np.diff(adjusted[np.argsort(raw, kind="stable")]) >= 0)


def test_any_false_find_is_as_rare_as_promised() -> None:
    """20 true nulls: 5 % of families have a find."""
    p = np.random.default_rng(0).random((3000, 20))
    assert 0.035 < np.mean([holm(row).min() <= 0.05 for row in p]) < 0.065


def test_nan_is_no_test() -> None:
    """It stays, and the others are not corrected for it."""
    assert holm([0.01, np.nan, 0.02]).tolist() == pytest.approx([0.02, np.nan, 0.02], nan_ok=True)
    assert holm([]).size == 0
