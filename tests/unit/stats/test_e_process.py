"""The canary's evidence: rarely wrong whenever one looks, quick when something is."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.stats.e_process import RATES, average_e, canary_decision, canary_evidence

#: Enough cases to find a broken law, and no deadline: the machine may be busy.
LAW = settings(max_examples=30, deadline=None)

BATCHES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 100), st.integers(0, 30), st.integers(0, 1000)),
    min_size=1,
    max_size=10,
).map(lambda rows: np.array([(min(a, b), b, min(c, d), d) for a, b, c, d in rows]).T)


@LAW
@given(BATCHES, st.floats(0.5, 3))
def test_it_is_the_formula(batches: np.ndarray[tuple[int, ...], np.dtype[np.int64]], rho0: float) -> None:
    """E = mean over r of prod (q_r/w)^x_c ((1-q_r)/(1-w))^x_b, written out plainly."""
    x_c, n_c, x_b, n_b = batches
    total = 0.0
    for r in RATES:
        product = 1.0
        for xc, nc, xb, nb in zip(x_c, n_c, x_b, n_b, strict=True):
            if nc == 0 or nb == 0:
                continue  # one side alone says nothing
            w, q = rho0 * nc / (rho0 * nc + nb), r * rho0 * nc / (r * rho0 * nc + nb)
            product *= (q / w) ** float(xc) * ((1 - q) / (1 - w)) ** float(xb)
        total += product
    found = canary_evidence(x_c, n_c, x_b, n_b, tolerated_ratio=rho0).latest
    assert found == pytest.approx(math.log(total / len(RATES)), rel=1e-9, abs=1e-9)


@LAW
@given(BATCHES)
def test_more_canary_events_are_more_evidence(
    batches: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
) -> None:
    """And more events of the champion are less; a more tolerant null is less, too."""
    x_c, n_c, x_b, n_b = batches
    least = canary_evidence(0 * x_c, n_c, x_b, n_b).latest
    some = canary_evidence(x_c, n_c, x_b, n_b).latest
    most = canary_evidence(n_c, n_c, x_b, n_b).latest
    assert least <= some + 1e-9 <= most + 2e-9
    assert canary_evidence(x_c, n_c, n_b, n_b).latest <= some + 1e-9
    assert canary_evidence(x_c, n_c, x_b, n_b, tolerated_ratio=2.0).latest <= some + 1e-9


def null_canaries(rng: np.random.Generator, canaries: int, rate: float) -> float:
    """Share of null canaries that are rolled back in an hour of looks each minute, over two checks."""
    rolled_back = 0
    for _ in range(canaries):
        n_c, n_b = rng.poisson(6, size=60), rng.poisson(114, size=60)
        checks = [
            canary_evidence(rng.binomial(n_c, p), n_c, rng.binomial(n_b, p), n_b).log_e for p in (rate, 0.1)
        ]
        averaged = np.logaddexp(*checks) - math.log(2)
        rolled_back += canary_decision(math.exp(averaged.max())) == "roll-back"
    return rolled_back / canaries


@pytest.mark.parametrize("rate", [0.01, 0.5])
def test_a_canary_that_is_fine_is_rolled_back_at_most_as_often_as_alpha(rate: float) -> None:
    """2,000 null canaries, looked at each minute of an hour: at most 1 %."""
    assert null_canaries(np.random.default_rng(0), 2000, rate) <= 0.01


def test_ten_times_the_errors_are_found_in_minutes() -> None:
    """0.1 % to 1 % errors, 120 canary requests a minute at 5 %: median within 8 minutes."""
    rng = np.random.default_rng(1)
    minutes = []
    for _ in range(200):
        n_c, n_b = np.full(60, 120), np.full(60, 2280)
        path = canary_evidence(rng.binomial(n_c, 0.01), n_c, rng.binomial(n_b, 0.001), n_b).log_e
        minutes.append(int(np.argmax(path >= math.log(100))) + 1 if path.max() >= math.log(100) else 99)
    assert np.median(minutes) <= 8


def test_averaging_keeps_the_expectation() -> None:
    """The mean of E's, in log space, also where one has overflowed."""
    assert average_e([math.log(1.0), math.log(5.0)]) == pytest.approx(3.0)
    assert average_e([]) == 1.0
    assert average_e([-math.inf, 0.0]) == pytest.approx(0.5)
    assert average_e([5000.0, 0.0]) == math.inf
    assert math.isnan(average_e([math.nan]))


@pytest.mark.parametrize(
    ("e", "decision"),
    [(0.0, "advance"), (9.99, "advance"), (10.0, "hold"), (99.0, "hold"), (100.0, "roll-back"),
     (math.inf, "roll-back"), (math.nan, "hold")],
)  # fmt: skip
def test_decisions(e: float, decision: str) -> None:
    """Roll back at 100, hold from 10."""
    assert canary_decision(e) == decision


def test_no_batches_and_huge_batches() -> None:
    """No evidence is E = 1; a flood of errors does not overflow."""
    none = canary_evidence([], [], [], [])
    assert (none.latest, none.strongest) == (0.0, 0.0)
    flood = canary_evidence([10**9], [10**9], [0], [10**9])
    assert math.isfinite(flood.latest)
    assert flood.latest > 1e8
    calm = canary_evidence([0, 0], [10**9] * 2, [10**9] * 2, [10**9] * 2)
    assert calm.latest < 0
    assert calm.strongest == 0.0


def test_impossible_counts_are_refused() -> None:
    """More events than requests, negative, NaN, other lengths, senseless ratios."""
    for x_c, n_c in ((5, 4), (-1, 4), (math.nan, 4), (1, math.inf)):
        with pytest.raises(ValueError, match="exposures"):
            canary_evidence([x_c], [n_c], [0], [10])
    with pytest.raises(ValueError, match="rows differ"):
        canary_evidence([1, 2], [4, 4], [0], [10])
    with pytest.raises(ValueError, match="rates"):
        canary_evidence([1], [4], [0], [10], rates=[0.5])
    with pytest.raises(ValueError, match="alpha"):
        canary_decision(1.0, alpha=0.0)
