"""A writer keeps every point in order, tells what was not kept, and never holds up its caller without bound."""

import threading
import time
from array import array
from collections.abc import Callable, Iterator

import pytest

from trimtab.assembly.recording import point_writer
from trimtab.assembly.recording.point_writer import PointWriter, pieces_of
from trimtab.atoms.error import Conflict, StoreError, UsageError, WritingEnded
from trimtab.atoms.metric_point import Points, series_points


class Disk:
    """Takes points; refuses, or takes its time, when told to."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, float]] = []
        self.moments: list[int] = []
        self.writes = 0
        self.errors: list[Exception] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, points: Points) -> None:
        assert self.gate.wait(30)
        self.writes += 1
        if self.errors:
            raise self.errors.pop(0)
        self.rows += [(point.metric, point.step, point.value) for point in points]
        self.moments += [point.at_us for point in points]


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def writer(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> Iterator[PointWriter]:
    monkeypatch.setattr(point_writer, "_AGAIN_S", 0.01)
    made = PointWriter(disk, {"old": 7})
    yield made
    disk.gate.set()
    disk.errors.clear()
    made.close()


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_points_gather_while_others_are_written(disk: Disk, writer: PointWriter) -> None:
    disk.gate.clear()
    for step in range(10_000):
        writer.metric("loss", step / 2)
    writer.metric("old", 1.0)
    disk.gate.set()
    writer.flush()
    assert disk.rows == [("loss", step, step / 2) for step in range(10_000)] + [("old", 7, 1.0)]
    assert disk.writes <= 3


def test_two_calls_are_two_points_also_where_the_clock_stands_still(
    disk: Disk, writer: PointWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point_writer, "time_ns", lambda: 5_000)
    for _ in range(3):
        writer.metric("loss", 0.5, 1)
    writer.flush()
    assert disk.moments == [5, 6, 7]


def test_the_next_step_is_one_more_than_the_last(disk: Disk, writer: PointWriter) -> None:
    writer.metric("a", 0.0)
    writer.metric("a", 0.0, 10)
    writer.metric("a", 0.0)
    writer.series("a", [20, 30], [0.0, 0.0])
    writer.metrics({"a": 0.0, "b": 0.0})
    writer.flush()
    assert sorted((metric, step) for metric, step, _ in disk.rows) == [
        *(("a", step) for step in (0, 10, 11, 20, 30, 31)),
        ("b", 0),
    ]


def test_a_full_disk_is_told_and_forgotten_when_there_is_room(disk: Disk, writer: PointWriter) -> None:
    disk.errors = [StoreError("the disk is full")] * 3
    writer.metric("loss", 1.0)
    with pytest.raises(StoreError, match="full"):
        writer.flush()
    until(lambda: not disk.errors)
    writer.metric("loss", 2.0)
    until(lambda: len(disk.rows) == 2)
    writer.flush()
    assert disk.rows == [("loss", 0, 1.0), ("loss", 1, 2.0)]


def test_what_is_refused_for_good_is_told_once_and_the_rest_is_kept(disk: Disk, writer: PointWriter) -> None:
    disk.errors = [Conflict("the run is deleted")]
    writer.metric("loss", 1.0)
    with pytest.raises(UsageError, match="deleted"):
        writer.flush()
    writer.metric("loss", 2.0)
    writer.flush()
    assert disk.rows == [("loss", 1, 2.0)]


def test_after_a_failed_flush_of_the_disk_nothing_is_taken(disk: Disk, writer: PointWriter) -> None:
    disk.errors = [WritingEnded("the disk did not take a write")]
    writer.metric("loss", 1.0)
    with pytest.raises(WritingEnded):
        writer.flush()
    with pytest.raises(WritingEnded):
        writer.metric("loss", 2.0)
    with pytest.raises(WritingEnded):
        writer.close()
    writer._begin()  # so that the fixture can close it


def test_a_fault_of_our_own_is_told_and_does_not_end_the_thread(disk: Disk, writer: PointWriter) -> None:
    disk.errors = [KeyError("oops")]
    writer.metric("loss", 1.0)
    with pytest.raises(StoreError, match="KeyError"):
        writer.flush()
    writer.metric("loss", 2.0)
    writer.flush()
    assert disk.rows == [("loss", 1, 2.0)]


def test_a_call_waits_for_room_and_no_longer(
    disk: Disk, writer: PointWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point_writer, "MOST_WAITING", 100)
    disk.gate.clear()
    done = threading.Event()

    def work() -> None:
        for step in range(101):
            writer.metric("loss", 0.0, step)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert not done.wait(0.1)
    disk.gate.set()
    assert done.wait(30)
    thread.join()
    writer.flush()
    assert [step for _, step, _ in disk.rows] == list(range(101))


def test_no_room_and_a_full_disk_is_an_error_and_nothing_more_is_taken(
    disk: Disk, writer: PointWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point_writer, "MOST_WAITING", 3)
    disk.errors = [StoreError("the disk is full")] * 10_000
    for step in range(3):
        writer.metric("loss", 0.0, step)
    until(lambda: disk.writes > 0)
    with pytest.raises(StoreError, match="full"):
        writer.metric("loss", 0.0, 3)
    disk.errors.clear()
    writer.flush()
    assert [step for _, step, _ in disk.rows] == [0, 1, 2]


def test_pieces_are_the_same_points() -> None:
    mixed = Points()
    for step in range(10):
        mixed.add(f"m{step % 3}", step, float(step), 100 + step)
    for points in (mixed, series_points("one", range(10), array("d", range(10)), 5)):
        pieces = list(pieces_of(points, 4))
        assert [len(piece) for piece in pieces] == [4, 4, 2]
        assert [point for piece in pieces for point in piece] == list(points)
