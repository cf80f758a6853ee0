"""Torn tails are passed over, damage is told, wherever the file is cut or changed."""

from hypothesis import given
from hypothesis import strategies as st

from trimtab.adapters.stream_segment import frame_batch, frame_end, is_damaged, read_frames, salvage

BATCHES = st.lists(st.lists(st.binary(max_size=20), min_size=1, max_size=4), min_size=1, max_size=5)


def segment(batches: list[list[bytes]]) -> tuple[bytes, list[int]]:
    """The bytes of a segment, and where each batch ends."""
    content, ends = b"", []
    for number, records in enumerate(batches, start=1):
        content += frame_batch(records, number)
        ends.append(len(content))
    return content, ends


@given(BATCHES, st.data())
def test_cut_anywhere_the_whole_batches_before_the_cut_are_read(
    batches: list[list[bytes]], data: st.DataObject
) -> None:
    content, ends = segment(batches)
    cut = data.draw(st.integers(0, len(content)))
    whole = [records for records, end in zip(batches, ends, strict=True) if end <= cut]
    frames = read_frames(content[:cut])
    assert frames.records == [record for records in whole for record in records]
    assert frames.torn == (cut not in (0, *ends))
    assert not is_damaged(content[:cut])


@given(BATCHES, st.data())
def test_any_changed_bit_of_a_closed_segment_is_damage(
    batches: list[list[bytes]], data: st.DataObject
) -> None:
    content, _ = segment(batches)
    closed = bytearray(content + frame_end(len(batches) + 1))
    place = data.draw(st.integers(0, len(content) - 1))
    closed[place] ^= 1 << data.draw(st.integers(0, 7))
    frames = read_frames(bytes(closed))
    assert frames.torn
    assert is_damaged(bytes(closed))
    records = [record for batch in batches for record in batch]
    assert frames.records == records[: len(frames.records)]


@given(BATCHES, st.binary(max_size=40))
def test_rubbish_after_the_last_flush_is_a_torn_tail(batches: list[list[bytes]], rubbish: bytes) -> None:
    content, _ = segment(batches)
    frames = read_frames(content + rubbish)
    assert frames.records == [record for batch in batches for record in batch]
    assert not is_damaged(content + rubbish)


def test_a_hurt_record_at_the_very_end_is_passed_over() -> None:
    content, _ = segment([[b"\0" * 7 + b"\1"]])
    end = read_frames(content).end
    assert salvage(b"\0" + content[1:8] + b"\0" + content[9:end], 0).records == []
    assert salvage(bytes(12) + content[12:end], 0).records == []


def test_zeros_make_no_record() -> None:
    assert read_frames(bytes(1000)).records == []
    assert read_frames(bytes(1000)).torn


@given(BATCHES, st.data())
def test_of_a_hurt_segment_every_record_that_was_not_hurt_is_salvaged(
    batches: list[list[bytes]], data: st.DataObject
) -> None:
    records = [record for batch in batches for record in batch]
    content, _ = segment(batches)
    ends = read_frames(content).ends
    hurt = data.draw(st.integers(0, len(records) - 1))
    first, last = (0, *ends)[hurt], ends[hurt]
    place = data.draw(st.integers(first, last - 1))
    size = data.draw(st.integers(1, last - place))
    rubbish = data.draw(st.one_of(st.just(bytes(size)), st.binary(min_size=size, max_size=size)))
    harmed = content[:place] + rubbish + content[place + size :]
    found = salvage(harmed, 0).records
    if harmed != content:
        assert [record for record in found if record not in records] == []
        assert len(found) >= len(records) - 1
    else:
        assert found == records
