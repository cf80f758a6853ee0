"""The clock's suite on the machine's clock, the replayed one and the fake."""

from datetime import UTC, datetime

import pytest

from trimtab.adapters.replay_clock import ReplayClock
from trimtab.adapters.system_clock import SystemClock
from trimtab.testing.clock_suite import ClockRuns, MakeClock
from trimtab.testing.manual_clock import ManualClock


@pytest.fixture(params=[SystemClock, lambda: ReplayClock(datetime(2013, 2, 1, tzinfo=UTC)), ManualClock])
def make(request: pytest.FixtureRequest) -> MakeClock:
    made: MakeClock = request.param
    return made


class TestClock(ClockRuns):
    pass
