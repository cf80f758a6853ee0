"""Errors, finiteness and age; and which of a window's judgements become an alert."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from trimtab.atoms.check import Verdict
from trimtab.loop.monitor.alert import decide_alert
from trimtab.loop.monitor.judge_serving import judge_serving

UNTIL = datetime(2013, 3, 1, tzinfo=UTC)


def _judge(world, window, trained_until=UNTIL):
    done = world.run(
        lambda work: judge_serving(
            work, window_id=window, bundle_id=world.bundle, trained_until=trained_until, policy=world.policy
        )
    )
    return {check.name: check for check in done.checks}


def test_a_healthy_window_passes(world):
    """No error, all finite, a day old."""
    checks = _judge(world, *world.windows(1))
    assert {check.verdict for check in checks.values()} == {Verdict.PASS}
    assert checks["serving.age"].reading.value == pytest.approx(2.0)


def test_errors_fail_when_there_are_surely_too_many(world):
    """Every tenth request fails."""
    records, _ = world.log(60)
    bad, _ = world.log(60, error="boom", answers=None)
    mixed = [bad[place] if place % 10 == 0 else line for place, line in enumerate(records)]
    check = _judge(world, world.window(60, mixed))["serving.errors"]
    assert check.verdict is Verdict.FAIL
    assert "15 of 150 requests failed" in check.says


def test_an_answer_that_is_no_number_fails(world):
    """One missing answer among 150."""
    hole = pl.when(pl.int_range(pl.len()) == 3).then(None).otherwise(pl.col("p1"))
    [window] = world.windows(1, answer=lambda rows: rows.with_columns(p1=hole))
    check = _judge(world, window)["serving.finite"]
    assert check.verdict is Verdict.FAIL
    assert check.reading.value == 1


def test_an_old_model_fails(world):
    """More than 180 days behind."""
    [window] = world.windows(1)
    assert _judge(world, window, UNTIL - timedelta(days=200))["serving.age"].verdict is Verdict.FAIL
    assert "serving.age" not in _judge(world, window, None)


def test_silence_is_not_health(world):
    """No request: UNSURE."""
    checks = _judge(world, world.window(60, []))
    assert checks["serving.errors"].verdict is Verdict.UNSURE
    assert checks["serving.finite"].verdict is Verdict.UNSURE


def test_alerts_name_what_failed_and_how_bad_it_is(world):
    """Errors are critical, age alone is worth knowing, and what passed or is unsure wakes nobody."""
    [window] = world.windows(1)
    healthy = _judge(world, window)
    assert decide_alert(list(healthy.values())) is None
    assert decide_alert(list(_judge(world, world.window(61, [])).values())) is None
    old = _judge(world, window, UNTIL - timedelta(days=200))
    alert = decide_alert(list(old.values()))
    assert (alert.severity, alert.title, alert.because) == ("info", "age", (old["serving.age"].id,))
    records, _ = world.log(62, error="boom", answers=None)
    failing = _judge(world, world.window(62, records), UNTIL - timedelta(days=200))
    alert = decide_alert(list(failing.values()))
    assert alert.severity == "critical"
    assert alert.title == "errors, age"
    assert "150 of 150 requests failed" in alert.text
