"""The streams port in memory."""

import threading
from collections.abc import Hashable, Sequence
from concurrent.futures import Future

from trimtab.atoms.error import StoreError, UsageError
from trimtab.ports.streams import Cursor

_SEGMENT = "memory"


class MemoryStreams:
    """A list for each stream; a cursor counts records instead of bytes."""

    def __init__(self) -> None:
        self._streams: dict[str, list[bytes]] = {}
        #: Records of each stream that are not there any more.
        self._forgotten: dict[str, int] = {}
        self._lock = threading.Lock()
        self._closed = False

    def append(self, stream: str, records: Sequence[bytes]) -> None:
        """See the port."""
        if any(part in ("", ".", "..") for part in stream.split("/")):
            raise UsageError(f"{stream!r} cannot name a stream: give words with single slashes between them")
        with self._lock:
            if self._closed:
                raise StoreError("the streams have been closed")
            if records:
                self._streams.setdefault(stream, []).extend(bytes(record) for record in records)

    def append_nowait(self, stream: str, records: Sequence[bytes]) -> Future[None]:
        """As `SegmentStreams.append_nowait`: done at once."""
        done: Future[None] = Future()
        self.append(stream, records)
        done.set_result(None)
        return done

    def read(
        self,
        stream: str,
        after: Cursor | None = None,
        limit: int | None = None,
        *,
        until: Cursor | None = None,
        rest: bool = False,
    ) -> tuple[list[bytes], Cursor]:
        """See the port."""
        start = after.segments.get(_SEGMENT, 0) if after else 0
        with self._lock:
            gone = self._forgotten.get(stream, 0)
            start = max(start, gone)
            stop = until.segments.get(_SEGMENT, 0) if until else gone + len(self._streams.get(stream, []))
            stop = stop if limit is None else min(stop, start + limit)
            found = self._streams.get(stream, [])[start - gone : max(stop - gone, 0)]
        return found, Cursor(segments={_SEGMENT: start + len(found)})

    def pulse(self, stream: str) -> Hashable:
        """See the port."""
        with self._lock:
            return self._forgotten.get(stream, 0) + len(self._streams.get(stream, ()))

    def faults(self, stream: str) -> list[str]:
        """See the port: memory has none."""
        return []

    def forget(self, stream: str, upto: Cursor) -> None:
        """See the port."""
        with self._lock:
            gone = self._forgotten.get(stream, 0)
            count = max(upto.segments.get(_SEGMENT, 0) - gone, 0)
            if stream in self._streams:
                del self._streams[stream][:count]
                self._forgotten[stream] = gone + count
                if not self._streams[stream]:
                    del self._streams[stream]

    def names(self) -> list[str]:
        """See the port."""
        with self._lock:
            return sorted(self._streams)

    def close(self) -> None:
        """See the port."""
        self._closed = True
