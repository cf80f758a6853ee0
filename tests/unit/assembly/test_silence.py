"""A long silence is told by a few windows, not by one for every day of it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from trimtab.assembly.served_log import ServedLog
from trimtab.testing.memory_streams import MemoryStreams

START = datetime(2024, 1, 1, tzinfo=UTC)


def log_of(days: Iterable[int]) -> ServedLog:
    """A log with one request at noon of each of these days."""
    streams = MemoryStreams()
    for day in days:
        at = (START + timedelta(days=day, hours=12)).isoformat()
        streams.append("predictions/m", [f'{{"id":"{day}","at":"{at}"}}'.encode()])
    log = ServedLog(streams, "m", event_time=None)
    log.refresh()
    return log


@pytest.mark.parametrize(("after", "expected"), [(0, 0), (1, 9), (10, None)])
def test_the_next_request_is_found_beyond_a_gap(after: int, expected: int | None) -> None:
    found = log_of([0, 9]).first_after(START + timedelta(days=after))
    assert found == (None if expected is None else START + timedelta(days=expected, hours=12))


def test_requests_are_found_by_their_moment_whatever_their_order() -> None:
    log = log_of([5, 1, 3])
    assert log.first() == START + timedelta(days=1, hours=12)
    assert len(log.requests(START + timedelta(days=1), START + timedelta(days=4))) == 2
    assert log.has("5")
    assert not log.has("2")
