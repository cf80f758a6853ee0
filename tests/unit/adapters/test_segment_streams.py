"""What segment files add to the port: no waiting, rolling, torn and damaged segments, a disk that refuses."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from trimtab.adapters import segment_streams
from trimtab.adapters.segment_streams import SegmentStreams
from trimtab.atoms.error import Damaged, StoreError


@pytest.fixture
def streams(tmp_path: Path) -> Iterator[SegmentStreams]:
    opened = SegmentStreams(tmp_path)
    yield opened
    opened.close()


def segment(folder: Path) -> Path:
    (path,) = folder.rglob("*.seg")
    return path


def test_without_waiting_many_share_one_flush(
    streams: SegmentStreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, flushes = threading.Event(), []

    def slow_flush(descriptor: int) -> None:
        go.wait(10)
        flushes.append(descriptor)

    monkeypatch.setattr(segment_streams, "flush", slow_flush)
    waiting = [streams.append_nowait("s", [b"%d" % number]) for number in range(500)]
    assert not any(done.done() for done in waiting)
    go.set()
    for done in waiting:
        done.result(timeout=10)
    assert len(flushes) <= 3
    assert streams.read("s")[0] == [b"%d" % number for number in range(500)]


def test_a_segment_that_has_grown_is_closed_and_the_next_begun(
    streams: SegmentStreams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_streams, "SEGMENT_BYTES", 1000)
    records = [b"%03d" % number + b"x" * 300 for number in range(20)]
    for record in records:
        streams.append("s", [record])
    assert len(list(tmp_path.rglob("*.seg"))) == 5
    first, cursor = streams.read("s", None, 7)
    assert first + streams.read("s", cursor)[0] == records


def test_a_torn_tail_of_a_process_still_writing_is_not_there_yet(tmp_path: Path) -> None:
    writer, reader = SegmentStreams(tmp_path), SegmentStreams(tmp_path)
    writer.append("s", [b"1"])
    writer.append("s", [b"2"])
    path = segment(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    records, cursor = reader.read("s")
    assert records == [b"1"]
    assert reader.read("s", cursor)[0] == []
    path.write_bytes(whole)
    assert reader.read("s", cursor)[0] == [b"2"]
    writer.close()
    reader.close()


def test_damage_in_the_middle_is_told_and_names_the_file(tmp_path: Path) -> None:
    writer = SegmentStreams(tmp_path)
    for number in range(5):
        writer.append("s", [b"record %d" % number])
    _, cursor = writer.read("s", None, 3)
    writer.close()
    path = segment(tmp_path)
    content = bytearray(path.read_bytes())
    content[content.index(b"record 3")] ^= 1
    path.write_bytes(content)
    reader = SegmentStreams(tmp_path)
    with pytest.raises(Damaged, match=path.name):
        reader.read("s")
    with pytest.raises(Damaged, match=path.name):
        reader.read("s", cursor)
    assert reader.read("s", None, 3)[0] == [b"record 0", b"record 1", b"record 2"]
    reader.close()


def test_when_the_disk_refuses_a_flush_nothing_is_acknowledged_any_more(
    streams: SegmentStreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams.append("s", [b"1"])
    fired = []

    def broken(descriptor: int) -> None:
        fired.append(descriptor)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken_disk:
        broken_disk.setattr(segment_streams, "flush", broken)
        with pytest.raises(StoreError, match="Input/output error"):
            streams.append("s", [b"2"])
    assert len(fired) == 1
    with pytest.raises(StoreError, match="check the disk"):
        streams.append("s", [b"3"])
    with pytest.raises(StoreError, match="check the disk"):
        streams.append("another", [b"3"])
    assert streams.read("s")[0][0] == b"1"
    assert len(fired) == 1, "a failed flush was tried again"


def test_a_full_disk_refuses_and_recovers_unaided(
    streams: SegmentStreams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams.append("s", [b"1"])
    with monkeypatch.context() as full_disk:

        def full(self: object, content: bytes) -> None:
            raise OSError(28, "No space left on device")

        full_disk.setattr(segment_streams._Segment, "_put", full)
        with pytest.raises(StoreError, match="No space left"):
            streams.append("s", [b"2"])
        assert streams.read("s")[0] == [b"1"]
    streams.append("s", [b"3"])
    assert streams.read("s")[0] == [b"1", b"3"]


def test_closing_flushes_what_waits_and_ends_the_thread(tmp_path: Path) -> None:
    streams = SegmentStreams(tmp_path)
    waiting = [streams.append_nowait("s", [b"%d" % number]) for number in range(100)]
    streams.close()
    streams.close()
    assert all(done.result(timeout=0) is None for done in waiting)
    with pytest.raises(StoreError, match="closed"):
        streams.append("s", [b"late"])
    assert not [thread for thread in threading.enumerate() if thread.name == "stream-writer"]
