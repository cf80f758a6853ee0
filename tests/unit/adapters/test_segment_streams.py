"""What segment files add to the port: no waiting, rolling, torn and damaged segments, a disk that refuses."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from trimtab.adapters import segment_file, segment_streams
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

    monkeypatch.setattr(segment_file, "flush", slow_flush)
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
        broken_disk.setattr(segment_file, "flush", broken)
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

        full_disk.setattr(segment_file.SegmentFile, "_put", full)
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


def closed_segments(folder: Path, monkeypatch: pytest.MonkeyPatch, count: int = 4) -> list[Path]:
    """`count` closed segments of the stream `s`, each with the records `N 0`, `N 1`, `N 2` in batches of their own."""
    monkeypatch.setattr(segment_streams, "SEGMENT_BYTES", 80)
    writer = SegmentStreams(folder)
    for number in range(count):
        for place in range(3):
            writer.append("s", [b"segment %d record %d" % (number, place)])
    writer.close()
    paths = sorted(folder.rglob("*.seg"))
    monkeypatch.undo()
    return paths


def all_records(count: int) -> list[bytes]:
    return [b"segment %d record %d" % (number, place) for number in range(count) for place in range(3)]


def cut(path: Path) -> str:
    path.write_bytes(path.read_bytes()[:-20])
    return "was cut"


def cut_at_a_record(path: Path) -> str:
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"record 2") - 22])
    return "was cut"


def emptied(path: Path) -> str:
    path.write_bytes(b"")
    return "was cut"


def flipped(path: Path) -> str:
    content = bytearray(path.read_bytes())
    content[content.index(b"record 1")] ^= 4
    path.write_bytes(content)
    return "is damaged"


def gone(path: Path) -> str:
    path.unlink()
    return "is gone"


def zeroed(path: Path) -> str:
    path.write_bytes(bytes(path.stat().st_size))
    return "is damaged"


@pytest.mark.parametrize("hurt", [cut, cut_at_a_record, emptied, flipped, gone, zeroed])
@pytest.mark.parametrize("place", [0, 1, -1])
def test_a_hurt_closed_segment_is_named_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurt: Callable[[Path], str], place: int
) -> None:
    paths = closed_segments(tmp_path, monkeypatch)
    path = paths[place]
    says = hurt(path)
    reader = SegmentStreams(tmp_path)
    with pytest.raises(Damaged, match=f"{path.name} {says}"):
        reader.read("s")
    faults = reader.faults("s")
    assert len(faults) == 1, faults
    assert path.name in faults[0]
    assert says in faults[0]
    rest, cursor = reader.read("s", rest=True)
    number = paths.index(path)
    lost = [record for record in all_records(len(paths)) if record not in rest]
    assert [record for record in all_records(len(paths)) if record in rest] == rest
    assert all(record.startswith(b"segment %d" % number) for record in lost)
    if hurt is flipped:
        assert lost == [b"segment %d record 1" % number]
    assert reader.names() == ["s"]
    reader.append("s", [b"new"])
    assert reader.read("s", cursor, rest=True)[0] == [b"new"]
    reader.close()


@pytest.mark.parametrize("hurt", [cut, cut_at_a_record, emptied, gone])
def test_a_reader_that_has_read_a_segment_to_its_end_still_tells_that_it_was_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurt: Callable[[Path], str]
) -> None:
    paths = closed_segments(tmp_path, monkeypatch)
    with closing(SegmentStreams(tmp_path)) as streams:
        records, cursor = streams.read("s")
        assert records == all_records(4)
        for _ in range(2):
            assert streams.read("s", cursor) == ([], cursor)
        hurt(paths[1])
        with pytest.raises(Damaged, match=paths[1].name):
            streams.read("s", cursor)


def test_every_bit_of_a_closed_segment_is_guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = closed_segments(tmp_path, monkeypatch, count=1)
    whole = path.read_bytes()
    reader = SegmentStreams(tmp_path)
    for bit in range(len(whole) * 8):
        content = bytearray(whole)
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(content)
        assert reader.faults("s"), f"bit {bit} flipped, and nobody saw it"
        assert len(reader.read("s", rest=True)[0]) >= 2
    path.write_bytes(whole)
    assert reader.faults("s") == []
    reader.close()


KILLED_WRITER = """
import os, sys
from pathlib import Path
from trimtab.adapters.segment_streams import SegmentStreams
streams = SegmentStreams(Path(sys.argv[1]))
for number in range(3):
    streams.append("s", [b"%d" % number])
os.kill(os.getpid(), 9)
"""


def test_a_killed_writers_segment_is_stated_by_the_next_one(tmp_path: Path) -> None:
    child = subprocess.run(
        [
            sys.executable,
            "-c",
            KILLED_WRITER,
            str(tmp_path),
        ],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert child.returncode == -9, "the writer was not killed"
    path = segment(tmp_path)
    with path.open("ab") as file:
        file.write(b"half a fra")
    reader = SegmentStreams(tmp_path)
    assert reader.read("s")[0] == [b"0", b"1", b"2"]
    assert not segment_file.end_of(path).exists()
    reader.append("s", [b"3"])
    assert segment_file.end_of(path).exists()
    assert reader.read("s")[0] == [b"0", b"1", b"2", b"3"]
    assert reader.faults("s") == []
    path.write_bytes(path.read_bytes()[:20])
    assert "was cut" in reader.faults("s")[0]
    reader.close()


def test_an_end_that_was_half_said_is_said_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path,) = closed_segments(tmp_path, monkeypatch, count=1)
    said = segment_file.end_of(path).read_bytes()
    segment_file.end_of(path).write_bytes(said[:1])
    monkeypatch.setattr(segment_file, "is_dead", lambda holder: True)
    reader = SegmentStreams(tmp_path)
    assert reader.read("s")[0] == all_records(1)
    reader.append("s", [b"new"])
    assert segment_file.end_of(path).read_bytes() == said
    segment_file.end_of(path).write_bytes(b"x9\n")
    assert "cannot be read" in SegmentStreams(tmp_path).faults("s")[0]
    reader.close()


def test_what_is_forgotten_leaves_the_disk_and_what_came_after_stays(tmp_path: Path) -> None:
    streams, other = SegmentStreams(tmp_path), SegmentStreams(tmp_path)
    streams.append("runs/a", [b"1", b"2"])
    other.append("runs/a", [b"3"])
    records, cursor = streams.read("runs/a")
    streams.append("runs/b", [b"of another run"])
    other.append("runs/a", [b"4"])
    streams.forget("runs/a", cursor)
    assert streams.read("runs/a", cursor)[0] == [b"4"], f"of {records}"
    assert streams.read("runs/a")[0] == [b"3", b"4"]  # one file holds both, and it is being written
    other.forget("runs/a", other.read("runs/a")[1])
    assert streams.names() == ["runs/b"]
    assert not (tmp_path / "runs" / "a").exists()
    streams.append("runs/a", [b"5"])
    assert other.read("runs/a")[0] == [b"5"]
    assert streams.faults("runs/a") == []
    streams.close()
    other.close()


def test_a_process_holds_few_files_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_streams, "MOST_OPEN", 4)
    streams = SegmentStreams(tmp_path)
    waiting = [streams.append_nowait(f"runs/{number}", [b"%d" % number]) for number in range(50)]
    for done in waiting:
        done.result(timeout=10)
    streams.append("runs/0", [b"again"])
    assert len(streams._segments) <= 4
    assert streams.read("runs/0")[0] == [b"0", b"again"]
    assert all(streams.read(f"runs/{number}")[0] == [b"%d" % number] for number in range(1, 50))
    streams.close()


@pytest.mark.parametrize("hurt", [cut, flipped])
def test_a_hurt_segment_is_not_forgotten_while_records_lie_behind_the_hurt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hurt: Callable[[Path], str]
) -> None:
    (path,) = closed_segments(tmp_path, monkeypatch, count=1)
    reader = SegmentStreams(tmp_path)
    _, cursor = reader.read("s", None, 1)
    hurt(path)
    reader.forget("s", cursor)
    assert path.exists()
    assert len(reader.read("s", rest=True)[0]) >= 1
    reader.close()
