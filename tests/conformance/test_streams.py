"""The streams' suite on segment files and on the fake."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from trimtab.adapters.segment_streams import SegmentStreams
from trimtab.ports.streams import Streams
from trimtab.testing.memory_streams import MemoryStreams
from trimtab.testing.streams_suite import MakeStreams, StreamsKeep, StreamsLast, StreamsPulse, StreamsRead


@pytest.fixture(params=["segments", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStreams]:
    opened: list[Streams] = []

    def open_streams() -> Streams:
        if request.param == "segments":
            opened.append(SegmentStreams(tmp_path))
        elif not opened:
            opened.append(MemoryStreams())
        return opened[-1]

    yield open_streams
    for streams in opened:
        streams.close()


class TestKeep(StreamsKeep):
    pass


class TestRead(StreamsRead):
    pass


class TestLast(StreamsLast):
    pass


class TestPulse(StreamsPulse):
    pass
