"""The prediction log and the outcomes of one model, read as they grow and found by event time."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from trimtab.adapters.spilled_map import SpilledMap
from trimtab.atoms.instant import parse_instant
from trimtab.loop.monitor.record import OutcomeBook, counts_as
from trimtab.ports.streams import Cursor, Streams

#: Records that are read, and held in memory, at once.
PAGE = 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class _Answered(msgspec.Struct):
    """The few fields of a logged request that tell where it belongs."""

    id: str
    at: str
    role: str = "champion"
    error: str | None = None
    inputs: dict[str, list[Any]] = {}


@dataclass(slots=True)
class _Page:
    """A stretch of the log that can be read again."""

    after: Cursor
    until: Cursor
    #: Records of it that are in the index.
    indexed: int = 0


class ServedLog:
    """An index over two streams: 16 bytes a request that is not forgotten; the records stay on the disk.

    A record that says again what one before it said (a call that came again after a crash) is passed over.
    """

    def __init__(self, streams: Streams, model: str, *, event_time: str | None) -> None:
        self._streams = streams
        self._requests = f"predictions/{model}"
        self._truths = f"outcomes/{model}"
        self._event_time = event_time
        self._read = Cursor()
        self._truths_read = Cursor()
        #: Event times in microseconds since 1970, ascending, and where their records are: page and place in it.
        self._moments = array("q")
        self._places = array("Q")
        self._pages: dict[int, _Page] = {}
        self._next_page = 0
        #: What every record so far counted as.
        self._seen = SpilledMap()
        self._first: int | None = None
        #: The index holds nothing before this moment.
        self._forgotten: int | None = None
        #: All outcomes that came so far.
        self.outcomes = OutcomeBook(shelf=SpilledMap)

    def refresh(self) -> None:
        """Read what came since the last call."""
        fresh: list[tuple[int, int]] = []
        while True:
            before = self._read
            records, self._read = self._streams.read(self._requests, before, PAGE)
            if not records:
                break
            fresh += self._index(records, _between(before, self._read))
        self._merge(fresh)
        while True:
            records, self._truths_read = self._streams.read(self._truths, self._truths_read, PAGE)
            if not records:
                return
            self.outcomes.add(records)

    def has(self, request_id: str) -> bool:
        """Whether this request was answered, or failed, and was logged."""
        return self._seen.get(request_id) is not None

    def first(self) -> datetime | None:
        """Event time of the earliest request, or None."""
        return None if self._first is None else _moment_of(self._first)

    def first_after(self, moment: datetime) -> datetime | None:
        """Event time of the earliest request at or after a moment, or None."""
        wanted = _microseconds(moment)
        if self._forgotten is not None and wanted < self._forgotten:
            return min((_moment_of(at) for at, _ in self._recalled() if at >= wanted), default=None)
        place = bisect_left(self._moments, wanted)
        return _moment_of(self._moments[place]) if place < len(self._moments) else None

    def count(self, first: datetime, last: datetime) -> int:
        """How many records `requests` gives."""
        if self._forgotten is not None and _microseconds(first) < self._forgotten:
            return len(self.requests(first, last))
        start, stop = self._range(first, last)
        return stop - start

    def requests(self, first: datetime, last: datetime) -> list[bytes]:
        """Records whose first row's event time is in [first, last), in order of that time; read from the disk."""
        if self._forgotten is not None and _microseconds(first) < self._forgotten:
            low, high = _microseconds(first), _microseconds(last)
            within = [found for found in self._recalled() if low <= found[0] < high]
            return [record for _, record in sorted(within, key=lambda found: found[0])]
        start, stop = self._range(first, last)
        places = self._places[start:stop]
        records: dict[int, bytes] = {}
        for number, wanted in _by_page(places).items():
            page = self._pages[number]
            found, _ = self._streams.read(self._requests, page.after, until=page.until)
            records |= {number << 32 | place: found[place] for place in wanted}
        return [records[place] for place in places]

    def forget_before(self, moment: datetime) -> None:
        """Let go of what lies before a moment: it was judged. Asked for all the same, it is found on the disk."""
        limit = _microseconds(moment)
        if self._forgotten is not None and limit <= self._forgotten:
            return
        self._forgotten = limit
        count = bisect_left(self._moments, limit)
        for number, wanted in _by_page(self._places[:count]).items():
            self._pages[number].indexed -= len(wanted)
            if not self._pages[number].indexed:
                del self._pages[number]
        self._moments, self._places = self._moments[count:], self._places[count:]

    def _index(self, records: list[bytes], page: _Page) -> list[tuple[int, int]]:
        """Event times and places of the records that count and are not forgotten."""
        number, found = self._next_page, []
        for place, record in enumerate(records):
            answered = msgspec.json.decode(record, type=_Answered)
            if _is_repeated(answered, self._seen):
                continue
            moment = self._moment(answered)
            self._first = moment if self._first is None else min(self._first, moment)
            if self._forgotten is None or moment >= self._forgotten:
                found.append((moment, number << 32 | place))
        if found:
            page.indexed = len(found)
            self._pages[number] = page
            self._next_page += 1
        return found

    def _merge(self, fresh: list[tuple[int, int]]) -> None:
        fresh.sort()
        if fresh and self._moments and fresh[0][0] < self._moments[-1]:
            fresh = sorted([*zip(self._moments, self._places, strict=True), *fresh])
            del self._moments[:], self._places[:]
        self._moments.extend([moment for moment, _ in fresh])
        self._places.extend([place for _, place in fresh])

    def _range(self, first: datetime, last: datetime) -> tuple[int, int]:
        start = bisect_left(self._moments, _microseconds(first))
        return start, max(start, bisect_left(self._moments, _microseconds(last)))

    def _recalled(self) -> Iterator[tuple[int, bytes]]:
        """Every record that counts with its event time, from the beginning of the log to where it was read."""
        seen, cursor = SpilledMap(), Cursor()
        while True:
            records, cursor = self._streams.read(self._requests, cursor, PAGE, until=self._read)
            if not records:
                return
            for record in records:
                answered = msgspec.json.decode(record, type=_Answered)
                if not _is_repeated(answered, seen):
                    yield self._moment(answered), record

    def _moment(self, answered: _Answered) -> int:
        values = answered.inputs.get(self._event_time) if self._event_time else None
        spoken = values and isinstance(values[0], str)
        return _microseconds(parse_instant(values[0] if values and spoken else answered.at))


def _is_repeated(answered: _Answered, seen: SpilledMap) -> bool:
    """Whether one like it was seen; it is, from now on."""
    kind, kinds = counts_as(answered.role, answered.error), seen.get(answered.id) or []
    if kind in kinds:
        return True
    seen[answered.id] = [*kinds, kind]
    return False


def _between(before: Cursor, after: Cursor) -> _Page:
    """What was read between two cursors, without the segments that nothing was read of."""
    moved = {name: end for name, end in after.segments.items() if before.segments.get(name, 0) != end}
    starts = {name: before.segments[name] for name in moved if name in before.segments}
    return _Page(Cursor(segments=starts), Cursor(segments=moved))


def _by_page(places: "array[int]") -> dict[int, list[int]]:
    """Places within their page, by the page's number."""
    pages: dict[int, list[int]] = {}
    for place in places:
        pages.setdefault(place >> 32, []).append(place & 0xFFFFFFFF)
    return pages


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment_of(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
