"""Loss and bias of windows with planted faults, for every kind of target."""

import polars as pl
import pytest

from trimtab.atoms.check import Verdict


@pytest.fixture(params=[(0, 1), ("no", "yes"), (False, True), ("a", "b", "c"), ()], ids=str)
def any_world(request, make_world):
    """A world of each kind of target: two classes by three spellings, three classes, a regression."""
    return make_world(classes=request.param)


def _noise(rows):
    """Answers that belong to other rows."""
    return rows.select(pl.all().reverse())


def test_a_model_as_good_as_promised_passes(any_world):
    """Loss and bias of ordinary days are no finding."""
    windows = any_world.windows(8)
    checks = any_world.quality(windows[-1], windows[:-1])
    assert checks["quality.loss"].verdict is Verdict.PASS
    assert checks["quality.bias"].verdict is Verdict.PASS
    assert checks["quality.loss"].reading.n == any_world.rows_a_day
    assert checks["quality.loss"].reading.low < checks["quality.loss"].reading.value


def test_answers_of_other_rows_are_a_loss(any_world):
    """Shuffled answers raise the loss over its limit in one window."""
    any_world.training_days, days = 60, any_world.windows(5)
    any_world.training_days = 65
    [window] = any_world.windows(1, answer=_noise)
    check = any_world.quality(window, days)["quality.loss"]
    assert check.verdict is Verdict.FAIL
    assert check.reading.value > check.limit.at_most
    assert "held out" in check.says


def test_too_high_answers_are_a_bias(make_world):
    """Probabilities that are 0.1 too high for 7 days: quality.bias says so, and by how much."""
    world = make_world(rows_a_day=400)
    windows = world.windows(
        7, answer=lambda rows: pl.DataFrame({"p0": rows["p0"] - 0.1, "p1": rows["p1"] + 0.1})
    )
    check = world.quality(windows[-1], windows[:-1])["quality.bias"]
    assert check.verdict is Verdict.FAIL
    assert check.reading.value == pytest.approx(0.1, abs=0.04)
    assert check.reading.low > 0
    assert "too high" in check.says


def test_the_bias_of_one_of_three_classes_is_named(make_world):
    """The third class gets 0.15 of the first one's probability."""
    world = make_world(classes=("a", "b", "c"), rows_a_day=400)

    def answer(rows):
        return rows.with_columns(p0=pl.col("p0") - 0.15, p2=pl.col("p2") + 0.15)

    windows = world.windows(7, answer=answer)
    check = world.quality(windows[-1], windows[:-1])["quality.bias"]
    assert check.verdict is Verdict.FAIL
    assert "class 'a' too low" in check.says or "class 'c' too high" in check.says


def test_a_regression_that_is_half_a_unit_off_is_biased(make_world):
    """The limit of a regression is a tenth of its outcomes' standard deviation."""
    world = make_world(classes=())
    windows = world.windows(7, answer=lambda rows: rows + 0.7)
    check = world.quality(windows[-1], windows[:-1])["quality.bias"]
    assert check.verdict is Verdict.FAIL
    assert check.limit.at_most == pytest.approx(0.1 * (10**0.5), rel=0.15)


def test_a_slow_loss_is_found(make_world):
    """Answers a little too sure of themselves: no window is over the limit, 14 together are worse."""
    world = make_world(rows_a_day=300)

    def sharper(rows):
        odds = rows.select(pl.all() ** 2.2)
        return odds / odds.sum_horizontal()

    windows = world.windows(14, answer=sharper)
    check = world.quality(windows[-1], windows[:-1])["quality.loss"]
    assert check.verdict is Verdict.FAIL
    assert "slow loss" in check.says
    assert check.reading.value < check.limit.at_most


def test_without_outcomes_nothing_is_sure(any_world):
    """No outcome and no row: UNSURE with the number that is needed, never PASS."""
    records, _ = any_world.log(60)
    for window in (any_world.window(60, records), any_world.window(61, [])):
        checks = any_world.quality(window)
        assert {check.verdict for check in checks.values()} == {Verdict.UNSURE}
        assert "30 are needed" in checks["quality.loss"].says


def test_outcomes_of_one_class_only(world):
    """A window in which only one outcome came is judged like any other."""
    records, outcomes = world.log(60)
    zeros = [line.replace(b'"truth": 1', b'"truth": 0') for line in outcomes]
    check = world.quality(world.window(60, records, zeros))["quality.loss"]
    assert check.verdict in (Verdict.PASS, Verdict.FAIL)
    assert check.reading.n == world.rows_a_day
