"""Drift is found where it was planted, named, and not found where nothing was."""

import polars as pl

from trimtab.atoms.check import Verdict
from trimtab.atoms.content.profile import Profile
from trimtab.loop.monitor.movement import reference_places


def _named(done):
    return {
        (check.name, check.about) for check in done.checks if check.verdict is Verdict.FAIL and check.about
    }


def test_identical_days_raise_few_alarms(world):
    """30 ordinary days: at most two of them alarm, at a nominal one in 60."""
    past, alarms = [], 0
    for window in world.windows(30):
        done = world.drift(window, past)
        if done.with_verdict(Verdict.FAIL):
            alarms += 1
        else:
            past.append(done.first("profile").id)
    assert alarms <= 2


def test_a_shift_of_one_column_is_found_and_named(world):
    """The mean of x rises by 0.8: drift and skew name x and the means, and no other column."""
    [window] = world.windows(1, lambda rows: rows.with_columns(x=pl.col("x") + 0.8))
    done = world.drift(window)
    found = _named(done)
    assert ("drift.location", "x") in found or ("drift.shape", "x") in found
    assert {about for _, about in found} <= {"x", "(the answers)"}
    [check] = [check for check in done.checks if check.about == "x"]
    assert "->" in check.says
    assert "usual range" in check.says
    assert "about one false alarm in 180 windows" in check.says
    assert check.reading.value > check.limit.at_most
    skew = next(check for check in done.checks if check.name == "skew.training")
    assert skew.verdict is Verdict.FAIL
    assert "'x'" in skew.says


def test_a_jump_of_missing_values_is_found(world):
    """From 2 % to 14 % missing: drift.missing names the column and both shares."""
    gap = pl.when(pl.int_range(pl.len()) % 8 == 0).then(None).otherwise(pl.col("m"))
    [window] = world.windows(1, lambda rows: rows.with_columns(m=gap))
    done = world.drift(window)
    assert _named(done) == {("drift.missing", "m")}
    [check] = [check for check in done.checks if check.about == "m"]
    assert check.says.startswith("missing values of 'm': 2")
    family = next(check for check in done.checks if check.name == "drift.missing" and not check.about)
    assert family.verdict is Verdict.FAIL


def test_unseen_categories_are_found(world):
    """A tenth of the rows has a category that training never saw."""
    new = pl.when(pl.int_range(pl.len()) % 10 == 0).then(pl.lit("new")).otherwise(pl.col("c"))
    [window] = world.windows(1, lambda rows: rows.with_columns(c=new))
    assert ("drift.alien", "c") in _named(world.drift(window))


def test_the_profile_counts_over_the_bins_of_training(world):
    """What is kept adds up: every row of every column is in a bin or missing."""
    [window] = world.windows(1)
    profile = world.bench.store.read(world.drift(window).first("profile").id, Profile)
    assert {column.name for column in profile.columns} == {"x", "m", "c", "flag", "(the answers)"}
    for column in profile.columns:
        assert sum(column.counts) + column.n_missing == column.n == world.rows_a_day


def test_an_empty_window_is_unsure(world):
    """Silence is not health."""
    done = world.drift(world.window(60, []))
    assert {check.verdict for check in done.checks} == {Verdict.UNSURE}
    assert "too few" in done.checks[0].says


def test_other_bundles_rows_are_not_judged(world):
    """A canary's rows do not count as the champion's."""
    records, outcomes = world.log(60, role="canary", bundle="0" * 64)
    done = world.drift(world.window(60, records, outcomes))
    assert {check.verdict for check in done.checks} == {Verdict.UNSURE}


def test_days_are_held_against_the_same_weekday():
    """From the fourth week on a day's reference is the same day of the weeks before."""
    days = [f"2013-01-{day:02d}" for day in range(1, 30)]
    assert reference_places(days)[28] == ([21, 14, 7, 0], True)
    assert reference_places(days)[5] == ([4, 3, 2, 1], False)
