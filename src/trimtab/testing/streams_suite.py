"""What every store of streams must do. Subclass each class in a test module that has the fixture `make`.

`make()` opens streams that are empty at first, and the same ones again when called again.
"""

import threading
from collections.abc import Callable

import pytest

from trimtab.atoms.error import UsageError
from trimtab.ports.streams import Cursor, Streams

MakeStreams = Callable[[], Streams]


class StreamsPulse:
    """Whoever polls sees cheaply that there is something new."""

    def test_it_changes_with_every_append_of_anybody(self, make: MakeStreams) -> None:
        mine, theirs = make(), make()
        seen = [mine.pulse("s")]
        for number in range(3):
            mine.append("s", [b"%d" % number])
            seen.append(mine.pulse("s"))
            theirs.append("s", [b"%d" % number])
            seen.append(mine.pulse("s"))
        assert len(set(seen)) == len(seen)
        assert mine.pulse("s") == seen[-1]

    def test_it_stays_while_another_stream_grows(self, make: MakeStreams) -> None:
        streams = make()
        streams.append("s", [b"1"])
        before = streams.pulse("s")
        streams.append("t", [b"1"])
        assert streams.pulse("s") == before


class StreamsKeep:
    """What was acknowledged is read, exactly as written, in the order of each append."""

    def test_records_come_back_as_written(self, make: MakeStreams) -> None:
        streams = make()
        records = [b"", b"\0\xff\n", b"x" * 100_000, b'{"a":1}', b""]
        streams.append("predictions/late", records)
        streams.append("predictions/late", [b"last"])
        assert streams.read("predictions/late")[0] == [*records, b"last"]

    def test_nothing_appended_is_nothing(self, make: MakeStreams) -> None:
        streams = make()
        streams.append("outcomes/late", [])
        assert streams.read("outcomes/late")[0] == []

    def test_a_stream_that_nobody_wrote_is_empty(self, make: MakeStreams) -> None:
        records, cursor = make().read("predictions/nobody")
        assert records == []
        assert make().read("predictions/nobody", cursor) == ([], cursor)

    def test_two_writers_do_not_disturb_each_other(self, make: MakeStreams) -> None:
        first, second = make(), make()
        for number in range(5):
            first.append("s", [b"a%d" % number])
            second.append("s", [b"b%d" % number, b"b%d again" % number])
        records = first.read("s")[0]
        assert sorted(records) == sorted(second.read("s")[0])
        assert [record for record in records if record.startswith(b"a")] == [b"a%d" % n for n in range(5)]
        own = [record for record in records if record.startswith(b"b")]
        assert own == [text for n in range(5) for text in (b"b%d" % n, b"b%d again" % n)]

    def test_many_threads_share_a_stream(self, make: MakeStreams) -> None:
        streams = make()

        def write(number: int) -> None:
            for step in range(20):
                streams.append("s", [b"%d %d first" % (number, step), b"%d %d second" % (number, step)])

        threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        records = streams.read("s")[0]
        assert len(records) == len(set(records)) == 6 * 20 * 2
        for place in range(0, len(records), 2):
            assert records[place].removesuffix(b" first") == records[place + 1].removesuffix(b" second")
        for number in range(6):
            own = [record for record in records if record.startswith(b"%d " % number)]
            assert [int(record.split()[1]) for record in own] == [step for step in range(20) for _ in "12"]


class StreamsRead:
    """A reader goes on from its cursor, and takes nothing away."""

    def test_a_cursor_goes_on_where_it_stopped(self, make: MakeStreams) -> None:
        writer, reader = make(), make()
        writer.append("s", [b"1", b"2"])
        first, cursor = reader.read("s")
        assert first == [b"1", b"2"]
        assert reader.read("s", cursor)[0] == []
        writer.append("s", [b"3"])
        assert reader.read("s", cursor)[0] == [b"3"]
        assert reader.read("s", cursor)[0] == [b"3"]
        assert reader.read("s")[0] == [b"1", b"2", b"3"]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7])
    def test_by_pieces_it_is_the_same_whole(self, make: MakeStreams, limit: int) -> None:
        one, two = make(), make()
        for number in range(4):
            one.append("s", [b"a%d" % number, b"a%d+" % number, b"a%d++" % number])
            two.append("s", [b"b%d" % number])
        cursor: Cursor | None = None
        whole: list[bytes] = []
        while True:
            records, cursor = one.read("s", cursor, limit)
            assert len(records) <= limit
            if not records:
                break
            whole += records
        assert whole == one.read("s")[0]
        assert len(whole) == 16

    def test_a_limit_of_nothing_moves_nothing(self, make: MakeStreams) -> None:
        streams = make()
        streams.append("s", [b"1"])
        records, cursor = streams.read("s", None, 0)
        assert records == []
        assert streams.read("s", cursor)[0] == [b"1"]

    def test_streams_do_not_mix_and_are_named(self, make: MakeStreams) -> None:
        streams = make()
        names = ["a", "a/b", "a/b/c", "A", "späť", "with space", "50%", "a.b", "~x", "%41"]
        for name in names:
            streams.append(name, [name.encode()])
        assert streams.names() == sorted(names)
        assert make().names() == sorted(names)
        for name in names:
            assert streams.read(name)[0] == [name.encode()]

    @pytest.mark.parametrize("name", ["", "/", "..", "../x", "a/../b", "a//b", "/etc", "a/", ".", "a/./b"])
    def test_a_name_that_is_no_path_of_words_is_refused(self, make: MakeStreams, name: str) -> None:
        with pytest.raises(UsageError, match="cannot name a stream"):
            make().append(name, [b"1"])


class StreamsLast:
    """What was read can be read again, until its reader says that it may go."""

    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_between_two_cursors_it_is_the_same_again(self, make: MakeStreams, limit: int) -> None:
        one, two = make(), make()
        one.append("s", [b"1", b"2", b"3"])
        two.append("s", [b"4", b"5"])
        pages: list[tuple[Cursor, Cursor, list[bytes]]] = []
        after = Cursor()
        while True:
            records, until = one.read("s", after, limit)
            if not records:
                break
            pages.append((after, until, records))
            after = until
        one.append("s", [b"6"])
        two.append("s", [b"7"])
        for after, until, records in pages:
            assert one.read("s", after, until=until)[0] == records
        assert sorted(one.read("s", pages[-1][1])[0]) == [b"6", b"7"]
        assert two.read("s", until=Cursor())[0] == []

    def test_what_is_forgotten_was_read_and_the_rest_stays(self, make: MakeStreams) -> None:
        streams = make()
        streams.append("s", [b"1", b"2"])
        _, cursor = streams.read("s")
        streams.append("s", [b"3"])
        streams.forget("s", cursor)
        assert streams.read("s", cursor)[0] == [b"3"]
        _, cursor = streams.read("s", cursor)
        streams.forget("s", cursor)
        streams.forget("s", cursor)
        assert streams.read("s", cursor)[0] == []
        streams.append("s", [b"4"])
        assert streams.read("s", cursor)[0] == [b"4"]

    def test_a_whole_stream_has_no_faults(self, make: MakeStreams) -> None:
        streams = make()
        streams.append("s", [b"1", b"2"])
        assert streams.faults("s") == []
        assert streams.faults("nobody") == []
        assert streams.read("s", rest=True)[0] == [b"1", b"2"]
