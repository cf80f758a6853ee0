"""The prediction log and the outcomes of one model, read as they grow and found by event time."""

from bisect import bisect_left
from datetime import datetime
from typing import Any

import msgspec

from trimtab.atoms.instant import parse_instant
from trimtab.loop.monitor.record import OutcomeBook
from trimtab.ports.streams import Cursor, Streams


class _Answered(msgspec.Struct):
    """The few fields of a logged request that tell where it belongs."""

    id: str
    at: str
    inputs: dict[str, list[Any]] = {}


class ServedLog:
    """An index over two streams; memory grows by a few words a request, the records stay as bytes."""

    def __init__(self, streams: Streams, model: str, *, event_time: str | None) -> None:
        self._streams = streams
        self._model = model
        self._event_time = event_time
        self._read = {f"predictions/{model}": Cursor(), f"outcomes/{model}": Cursor()}
        self._moments: list[datetime] = []
        self._records: list[bytes] = []
        self._ids: set[str] = set()
        #: All outcomes that came so far.
        self.outcomes = OutcomeBook()

    def refresh(self) -> None:
        """Read what came since the last call."""
        stream = f"predictions/{self._model}"
        records, self._read[stream] = self._streams.read(stream, self._read[stream])
        for record in records:
            answered = msgspec.json.decode(record, type=_Answered)
            self._ids.add(answered.id)
            self._moments.append(self._moment(answered))
            self._records.append(record)
        if records:
            order = sorted(range(len(self._moments)), key=self._moments.__getitem__)
            self._moments = [self._moments[place] for place in order]
            self._records = [self._records[place] for place in order]
        stream = f"outcomes/{self._model}"
        records, self._read[stream] = self._streams.read(stream, self._read[stream])
        self.outcomes.add(records)

    def has(self, request_id: str) -> bool:
        """Whether this request was answered and logged."""
        return request_id in self._ids

    def first(self) -> datetime | None:
        """Event time of the earliest request, or None."""
        return self._moments[0] if self._moments else None

    def first_after(self, moment: datetime) -> datetime | None:
        """Event time of the earliest request at or after a moment, or None."""
        place = bisect_left(self._moments, moment)
        return self._moments[place] if place < len(self._moments) else None

    def requests(self, first: datetime, last: datetime) -> list[bytes]:
        """Records whose first row's event time is in [first, last), in order of that time."""
        return self._records[bisect_left(self._moments, first) : bisect_left(self._moments, last)]

    def _moment(self, answered: _Answered) -> datetime:
        if self._event_time:
            values = answered.inputs.get(self._event_time)
            if values and isinstance(values[0], str):
                return parse_instant(values[0])
        return parse_instant(answered.at)
