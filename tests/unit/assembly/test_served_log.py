"""What a log forgets is on the disk all the same, and what came twice counts once."""

import json
import random
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trimtab.adapters.segment_streams import SegmentStreams
from trimtab.assembly import served_log
from trimtab.assembly.served_log import ServedLog

START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def streams(tmp_path: Path) -> Iterator[SegmentStreams]:
    opened = SegmentStreams(tmp_path)
    yield opened
    opened.close()


def record(number: int, *, hours: float | None = None, **fields: object) -> bytes:
    at = START + timedelta(hours=number if hours is None else hours)
    return json.dumps({"id": f"r{number}", "at": at.isoformat(), "role": "champion"} | fields).encode()


def ids(records: list[bytes]) -> list[str]:
    return [json.loads(each)["id"] for each in records]


def opened(streams: SegmentStreams) -> ServedLog:
    log = ServedLog(streams, "m", event_time=None)
    log.refresh()
    return log


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


def test_in_pages_and_from_several_writers_the_order_is_that_of_time(
    streams: SegmentStreams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_log, "PAGE", 7)
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 (so that a failure can be played again)
    rng = random.Random(seed)
    other = SegmentStreams(tmp_path)
    log = ServedLog(streams, "m", event_time=None)
    numbers = list(range(200))
    rng.shuffle(numbers)
    for first in range(0, 200, 20):
        for number in numbers[first : first + 20]:
            rng.choice([streams, other]).append("predictions/m", [record(number)])
        log.refresh()
    assert ids(log.requests(hour(50), hour(150))) == [f"r{number}" for number in range(50, 150)]
    assert log.count(hour(50), hour(150)) == 100
    log.forget_before(hour(120))
    assert ids(log.requests(hour(150), hour(160))) == [f"r{number}" for number in range(150, 160)]
    assert ids(log.requests(hour(100), hour(140))) == [f"r{number}" for number in range(100, 140)]
    assert log.count(hour(100), hour(140)) == 40
    assert log.first() == START
    assert log.first_after(hour(3)) == hour(3)
    assert log.first_after(hour(130)) == hour(130)
    assert log.has("r3")
    assert not log.has("r200")
    other.close()


def test_a_request_that_came_again_counts_once_also_after_it_was_judged(streams: SegmentStreams) -> None:
    streams.append("predictions/m", [record(1), record(2), record(1, hours=5)])
    log = opened(streams)
    assert ids(log.requests(START, hour(100))) == ["r1", "r2"]
    log.forget_before(hour(10))
    streams.append("predictions/m", [record(2, hours=20, role="canary"), record(3, hours=21)])
    log.refresh()
    assert ids(log.requests(hour(10), hour(100))) == ["r3"]
    assert ids(log.requests(START, hour(100))) == ["r1", "r2", "r3"]


def test_a_failure_and_a_shadow_count_beside_the_answer(streams: SegmentStreams) -> None:
    records = [
        record(1, role="canary", error="boom"),
        record(1, fell_back=True),
        record(1, role="shadow"),
        record(1, role="shadow"),
        record(1, role="canary"),
    ]
    streams.append("predictions/m", records)
    found = [json.loads(each) for each in opened(streams).requests(START, hour(9))]
    assert [(each["role"], each.get("error")) for each in found] == [
        ("canary", "boom"),
        ("champion", None),
        ("shadow", None),
    ]


def test_an_outcome_that_came_again_corrects_nothing(streams: SegmentStreams) -> None:
    streams.append("outcomes/m", [json.dumps({"id": "r1", "truth": 0, "call": "c1:0"}).encode()])
    streams.append("outcomes/m", [json.dumps({"id": "r1", "truth": 1, "call": "c2:0"}).encode()])
    streams.append("outcomes/m", [json.dumps({"id": "r1", "truth": 0, "call": "c1:0"}).encode()])
    outcomes = opened(streams).outcomes
    assert outcomes.truths(["r1"], [0], None) == ["1"]
    assert len(outcomes) == 2


def test_memory_does_not_grow_with_judged_traffic(streams: SegmentStreams) -> None:
    log = ServedLog(streams, "m", event_time=None)

    def serve(day: int) -> None:
        numbers = range(day * 2000, day * 2000 + 2000)
        inputs = {"x": ["y" * 500]}
        streams.append("predictions/m", [record(n, hours=n * 0.012, inputs=inputs) for n in numbers])
        streams.append("outcomes/m", [json.dumps({"id": f"r{n}", "truth": 1}).encode() for n in numbers])
        log.refresh()
        assert log.count(hour(day * 24), hour(day * 24 + 24)) == 2000
        log.forget_before(hour(day * 24 + 23))

    for kept in (log._seen, log.outcomes._by_row):
        kept._most = 500  # type: ignore[attr-defined]
    tracemalloc.start()
    serve(0)
    before = tracemalloc.get_traced_memory()[0]
    for day in range(1, 6):
        serve(day)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert log.outcomes.truths(["r7"], [0], None) == ["1"]
    written = 5 * 2000 * 600
    assert after - before < written / 40, f"{after - before} bytes more, of {written} written"
    assert len(log._moments) <= 2000 / 24 + 1
