"""Records that come while others are on their way share the next flush."""

from concurrent.futures import Future

import pytest

from trimtab.atoms.error import StoreError
from trimtab.tracking.flight import Flights


class SlowStreams:
    """A disk that is done when the test says so."""

    def __init__(self) -> None:
        self.appends: list[tuple[list[bytes], Future[None]]] = []
        self.full = False

    def append_nowait(self, stream: str, records: list[bytes]) -> "Future[None]":
        if self.full:
            raise StoreError("no space left")
        self.appends.append((list(records), Future()))
        return self.appends[-1][1]


@pytest.fixture
def streams() -> SlowStreams:
    return SlowStreams()


def test_who_comes_meanwhile_flies_together_with_the_next(streams: SlowStreams) -> None:
    flights = Flights(streams, "s")  # type: ignore[arg-type]
    first, second, third = (flights.send([record]) for record in (b"1", b"2", b"3"))
    assert [records for records, _ in streams.appends] == [[b"1"]]
    streams.appends[0][1].set_result(None)
    assert first.result(0) is None
    assert second is third
    assert not second.done()
    assert [records for records, _ in streams.appends] == [[b"1"], [b"2", b"3"]]
    streams.appends[1][1].set_result(None)
    assert second.result(0) is None
    assert len(streams.appends) == 2


def test_who_did_not_arrive_is_told_and_the_next_go_on(streams: SlowStreams) -> None:
    flights, told = Flights(streams, "s"), list[str]()  # type: ignore[arg-type]
    first = flights.send([b"1"], lambda: told.append("first"))
    second = flights.send([b"2"], lambda: told.append("second"))
    streams.appends[0][1].set_exception(StoreError("no space left"))
    with pytest.raises(StoreError, match="no space left"):
        first.result(0)
    assert told == ["first"]
    streams.full = True
    third = flights.send([b"3"])
    streams.appends[1][1].set_result(None)
    assert second.result(0) is None
    with pytest.raises(StoreError, match="no space left"):
        third.result(0)
    with pytest.raises(StoreError, match="no space left"):
        flights.send([b"4"]).result(0)
    streams.full = False
    flights.send([b"5"])
    assert streams.appends[-1][0] == [b"5"]
