"""Records of one moment share one append, and who waits is told the truth."""

import asyncio
from concurrent.futures import Future

import pytest

from trimtab.loop.serve.prediction_log import PredictionLog


class SlowStreams:
    """Appends become durable when the test says so."""

    def __init__(self):
        self.appends = []

    def append_nowait(self, stream, records):
        self.appends.append((stream, list(records), Future()))
        return self.appends[-1][2]


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


def test_an_answer_waits_until_its_record_is_durable():
    async def story():
        streams = SlowStreams()
        log = PredictionLog(streams)
        waiting = asyncio.ensure_future(log.write("p", b"1"))
        await turns()
        assert not waiting.done()
        streams.appends[0][2].set_result(None)
        await waiting

    asyncio.run(story())


def test_what_comes_while_a_group_is_written_is_the_next_group():
    async def story():
        streams = SlowStreams()
        log = PredictionLog(streams)
        first = [asyncio.ensure_future(log.write("p", b"%d" % place)) for place in range(3)]
        await turns()
        second = [asyncio.ensure_future(log.write("p", b"%d" % place)) for place in range(3, 5)]
        other = asyncio.ensure_future(log.write("q", b"x"))
        await turns()
        assert [records for _, records, _ in streams.appends] == [[b"0", b"1", b"2"], [b"x"]]
        streams.appends[0][2].set_result(None)
        await asyncio.gather(*first)
        await turns()
        assert streams.appends[2][1] == [b"3", b"4"]
        assert not any(one.done() for one in second)
        for append in streams.appends[1:]:
            append[2].set_result(None)
        await asyncio.gather(*second, other)
        await log.settle()

    asyncio.run(story())


def test_an_error_reaches_everyone_in_the_group_and_the_next_group_is_tried():
    async def story():
        streams = SlowStreams()
        log = PredictionLog(streams)
        waiting = [asyncio.ensure_future(log.write("p", b"1")) for _ in range(2)]
        await turns()
        streams.appends[0][2].set_exception(OSError("disk full"))
        for one in waiting:
            with pytest.raises(OSError, match="disk full"):
                await one
        again = asyncio.ensure_future(log.write("p", b"2"))
        await turns()
        streams.appends[1][2].set_result(None)
        await again

    asyncio.run(story())


def test_notes_that_cannot_wait_any_more_are_counted():
    async def story():
        streams = SlowStreams()
        log = PredictionLog(streams, most_waiting=2)
        for place in range(5):
            log.note("p", b"%d" % place)
        assert log.dropped == {"p": 3}
        await turns()
        streams.appends[0][2].set_exception(OSError("disk full"))
        await log.settle()
        await turns()
        assert log.dropped == {"p": 5}

    asyncio.run(story())
