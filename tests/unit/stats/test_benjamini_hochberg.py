"""Laws of Benjamini and Hochberg's adjustment."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from trimtab.stats.benjamini_hochberg import benjamini_hochberg
from trimtab.stats.holm import holm

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@LAW
@given(P_VALUES)
def test_agrees_with_scipy(p: list[float]) -> None:
    """The same adjusted p-values."""
    assert benjamini_hochberg(p).tolist() == pytest.approx(false_discovery_control(p).tolist())


@LAW
@given(P_VALUES)
def test_never_stricter_than_holm(p: list[float]) -> None:
    """The share of false finds is less to ask than no false find."""
    assert np.all(benjamini_hochberg(p) <= holm(p) + 1e-12)


def test_nan_is_no_test() -> None:
    """It stays, and the others are not corrected for it."""
    assert benjamini_hochberg([0.01, np.nan]).tolist() == pytest.approx([0.01, np.nan], nan_ok=True)
    assert benjamini_hochberg([]).size == 0
