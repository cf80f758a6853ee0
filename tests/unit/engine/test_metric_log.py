"""A run's points: acknowledged is durable, one by one costs little, and what is read is what was logged."""

import math
import os
import struct
import subprocess
import sys
import threading
from array import array
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.adapters import segment_file
from trimtab.adapters.segment_streams import SegmentStreams
from trimtab.atoms.error import StoreError, UsageError
from trimtab.engine.metric_log import MetricLog
from trimtab.engine.metric_series import RunPoints, read_sealed
from trimtab.engine.picture import picture_of
from trimtab.testing.manual_clock import ManualClock
from trimtab.testing.memory_streams import MemoryStreams

POINT = st.tuples(st.sampled_from(["loss", "acc", "ä"]), st.integers(-5, 50), st.floats(), st.integers(0, 9))


@pytest.fixture
def streams(tmp_path: Path) -> Iterator[SegmentStreams]:
    opened = SegmentStreams(tmp_path)
    yield opened
    opened.close()


def read(streams: SegmentStreams | MemoryStreams, run: str = "r") -> RunPoints:
    points = RunPoints()
    points.refresh(streams, run)
    return points


def test_one_by_one_in_batches_and_in_columns_all_are_read_in_order(streams: SegmentStreams) -> None:
    clock = ManualClock()
    log = MetricLog(streams, "r", clock)
    log.log("loss", 2, 0.2)
    log.log_batch([("loss", 1, 0.1, 7), ("acc", 1, math.nan, 8)])
    log.log_series("acc", [5, 4], [math.inf, -math.inf], [10, 11])
    log.log("loss", 1, -0.1, 3).result(timeout=10)
    log.close()
    points = read(streams)
    now = round(clock.now().timestamp() * 1e6)
    assert points.metrics() == ["acc", "loss"]
    loss = points.series("loss")
    assert list(zip(*loss, strict=True)) == [(1, -0.1, 3), (1, 0.1, 7), (2, 0.2, now)]
    acc = points.series("acc")
    assert list(acc.steps) == [1, 4, 5]
    assert math.isnan(acc.values[0])
    assert list(acc.values[1:]) == [-math.inf, math.inf]
    assert len(points.series("nobody logged it").steps) == 0


def test_a_batch_that_returned_is_on_the_disk(
    streams: SegmentStreams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = []
    real = segment_file.flush

    def watched(descriptor: int) -> None:
        real(descriptor)
        flushed.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(segment_file, "flush", watched)
    log = MetricLog(streams, "r", ManualClock())
    for batch in range(3):
        log.log_series("loss", range(1000), [float(batch)] * 1000)
        (path,) = tmp_path.rglob("*.seg")
        assert flushed[-1] == path.stat().st_size
    assert len(flushed) == 3


class HeldStreams(MemoryStreams):
    """Makes records durable when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[tuple[list[bytes], Future[None]]] = []

    def append_nowait(self, stream: str, records: object) -> Future[None]:
        self.held.append((list(records), Future()))  # type: ignore[call-overload]
        return self.held[-1][1]

    def let_go(self, error: Exception | None = None) -> None:
        records, done = self.held.pop(0)
        if error is not None:
            done.set_exception(error)
        else:
            self.append("runs/r", records)
            done.set_result(None)


def test_while_one_point_is_on_its_way_the_next_ones_gather() -> None:
    streams = HeldStreams()
    log = MetricLog(streams, "r", ManualClock())
    first = log.log("loss", 0, 0.0)
    rest = [log.log("loss", step, 0.0) for step in range(1, 1000)]
    assert len(streams.held) == 1
    assert not first.done()
    streams.let_go()
    assert first.done()
    assert not any(promise.done() for promise in rest)
    assert len(streams.held) == 1
    streams.let_go()
    assert all(promise.done() for promise in rest)
    assert list(read(streams).series("loss").steps) == list(range(1000))


def test_what_the_disk_refused_is_told_to_whoever_waits_and_at_the_flush() -> None:
    streams = HeldStreams()
    log = MetricLog(streams, "r", ManualClock())
    first, second = log.log("loss", 0, 0.0), log.log("loss", 1, 0.0)
    streams.let_go(StoreError("No space left on device"))
    with pytest.raises(StoreError, match="No space"):
        first.result(timeout=0)
    streams.let_go()
    assert second.result(timeout=0) is None
    with pytest.raises(StoreError, match="No space"):
        log.flush()
    log.flush()
    assert list(read(streams).series("loss").steps) == [1]


def test_a_closed_log_takes_nothing(streams: SegmentStreams) -> None:
    log = MetricLog(streams, "r", ManualClock())
    log.log("loss", 0, 1.0)
    log.close()
    log.close()
    for call in (lambda: log.log("loss", 1, 1.0), lambda: log.log_batch([("loss", 1, 1.0, 1)])):
        with pytest.raises(StoreError, match="closed"):
            call()
    assert list(read(streams).series("loss").steps) == [0]


def test_of_a_batch_with_a_mistake_nothing_is_logged(streams: SegmentStreams) -> None:
    log = MetricLog(streams, "r", ManualClock())
    with pytest.raises(UsageError):
        log.log_batch([("loss", 1, 1.0, 1), ("loss", 2, "much", 1)])  # type: ignore[list-item]
    log.log_batch([])
    log.close()
    assert read(streams).metrics() == []


def test_many_threads_lose_and_mix_nothing(streams: SegmentStreams) -> None:
    log = MetricLog(streams, "r", ManualClock())

    def write(number: int) -> None:
        for step in range(200):
            promise = log.log(f"m{number}", step, number + step / 1000)
            if step % 7 == 0:
                promise.result(timeout=10)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    points = read(streams)
    for number in range(8):
        series = points.series(f"m{number}")
        assert list(series.steps) == list(range(200))
        assert list(series.values) == [number + step / 1000 for step in range(200)]


@given(st.lists(st.lists(POINT, max_size=5), max_size=5))
def test_sealed_and_read_again_every_point_is_the_same(
    batches: list[list[tuple[str, int, float, int]]],
) -> None:
    streams = MemoryStreams()
    log = MetricLog(streams, "r", ManualClock())
    for batch in batches:
        log.log_batch(batch)
    points = read(streams)
    body = points.sealed()
    again = read_sealed(body)
    assert again.sealed() == body
    flat = [point for batch in batches for point in batch]
    assert again.metrics() == sorted({name for name, *_ in flat})
    for metric in again.metrics():
        mine = [
            (step, at_us, struct.pack("<d", value)) for name, step, value, at_us in flat if name == metric
        ]
        steps, values, moments = again.series(metric)
        found = [
            (step, at, struct.pack("<d", value))
            for step, value, at in zip(steps, values, moments, strict=True)
        ]
        assert found == sorted(mine, key=lambda point: point[:2])


def test_once_sealed_the_stream_may_go(streams: SegmentStreams) -> None:
    log = MetricLog(streams, "r", ManualClock())
    log.log_series("loss", range(100), [0.5] * 100)
    log.close()
    points = RunPoints()
    cursor = points.refresh(streams, "r")
    body = points.sealed()
    streams.forget("runs/r", cursor)
    assert streams.names() == []
    assert list(read_sealed(body).series("loss").steps) == list(range(100))


@pytest.mark.parametrize(
    "harm", [lambda body: body[:-1], lambda body: b"X" + body[1:], lambda body: body[:12]]
)
def test_bytes_that_are_no_sealed_points_are_refused(harm: object) -> None:
    streams = MemoryStreams()
    MetricLog(streams, "r", ManualClock()).log_series("loss", [1], [1.0])
    with pytest.raises(StoreError):
        read_sealed(harm(read(streams).sealed()))  # type: ignore[operator]


def test_a_picture_has_few_points_and_all_points_stay(streams: SegmentStreams) -> None:
    log = MetricLog(streams, "r", ManualClock())
    values = array("d", [math.sin(step / 500) for step in range(50_000)])
    values[31_415] = 9.0
    values[20_000] = math.nan
    log.log_series("loss", range(50_000), values)
    series = read(streams).series("loss")
    picture = picture_of(series, 500)
    assert len(picture.steps) <= 500
    assert (picture.steps[0], picture.steps[-1]) == (0, 49_999)
    assert 9.0 in picture.values
    assert picture.values[list(picture.steps).index(31_415)] == 9.0
    assert math.isnan(picture.values[list(picture.steps).index(20_000)])
    assert len(series.steps) == 50_000
    assert picture_of(series, 50_000) is series


KILLED_RUN = """
import sys
from pathlib import Path
from trimtab.adapters.segment_streams import SegmentStreams
from trimtab.adapters.system_clock import SystemClock
from trimtab.engine.metric_log import MetricLog
log = MetricLog(SegmentStreams(Path(sys.argv[1])), "r", SystemClock())
step = 0
while True:
    log.log_series("batched", range(step, step + 100), [0.5] * 100)
    print("batched", step + 100, flush=True)
    promises = [log.log("one", step + place, 0.5) for place in range(100)]
    promises[-1].result()
    print("one", step + 100, flush=True)
    step += 100
"""


@pytest.mark.parametrize("lines", [1, 4, 9, 40])
def test_a_run_that_is_killed_keeps_every_acknowledged_point(tmp_path: Path, lines: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED_RUN, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    acknowledged = {"batched": 0, "one": 0}
    for _ in range(lines):
        metric, count = child.stdout.readline().split()
        acknowledged[metric] = int(count)
    child.kill()
    for line in child.stdout:
        metric, _, count = line.partition(" ")
        if count.endswith("\n"):
            acknowledged[metric] = int(count)
    assert child.wait() == -9, "the run was not killed"
    child.stdout.close()
    streams = SegmentStreams(tmp_path)
    points = read(streams)
    for metric, count in acknowledged.items():
        steps = list(points.series(metric).steps)
        assert steps == list(range(len(steps)))
        assert len(steps) >= count
    assert streams.faults("runs/r") == []
    streams.close()
