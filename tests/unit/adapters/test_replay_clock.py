"""A replay goes forward only."""

from datetime import UTC, datetime, timedelta

import pytest

from trimtab.adapters.replay_clock import ReplayClock

START = datetime(2013, 2, 1, tzinfo=UTC)


def test_it_stands_where_it_was_put_until_it_is_moved() -> None:
    clock = ReplayClock(START)
    assert clock.now() == clock.now() == START
    clock.go_to(START + timedelta(days=300))
    assert clock.now() == START + timedelta(days=300)
    clock.sleep(86400.0)
    assert clock.now() == START + timedelta(days=301)


def test_it_does_not_run_backwards() -> None:
    clock = ReplayClock(START)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.go_to(START - timedelta(seconds=1))


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        ReplayClock(datetime(2013, 2, 1))
