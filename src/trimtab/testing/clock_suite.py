"""What every clock must do: subclass the class where there is a fixture `make` that gives a clock."""

from collections.abc import Callable
from datetime import UTC

from trimtab.ports.clock import Clock

MakeClock = Callable[[], Clock]


class ClockRuns:
    """Time has a zone and does not go back."""

    def test_now_is_utc(self, make: MakeClock) -> None:
        assert make().now().tzinfo is UTC

    def test_neither_goes_back(self, make: MakeClock) -> None:
        clock = make()
        read = [(clock.now(), clock.monotonic()) for _ in range(100)]
        assert read == sorted(read)
        assert [mono for _, mono in read] == sorted(mono for _, mono in read)

    def test_sleeping_lets_time_pass(self, make: MakeClock) -> None:
        clock = make()
        before, mono = clock.now(), clock.monotonic()
        clock.sleep(0.005)
        assert (clock.now() - before).total_seconds() >= 0.005
        assert clock.monotonic() - mono >= 0.005
