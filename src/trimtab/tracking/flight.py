"""Records on their way to the disk: those that come while others fly go together, with the next flight."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from trimtab.atoms.error import TrimtabError
from trimtab.ports.streams import Streams

#: Called where a flight did not come to the disk.
Refused = Callable[[], None]


class _Flight:
    """Records that are made durable together, and who is told of it."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.refused: list[Refused] = []
        #: Shared by all; who gives up waiting for it cannot cancel it for the others.
        self.landing: Future[None] = Future()
        self.landing.set_running_or_notify_cancel()


class Flights:
    """Sends records to one stream; whoever logs one by one without waiting pays a flush for thousands."""

    def __init__(self, streams: Streams, stream: str) -> None:
        self._streams, self._stream = streams, stream
        self._lock = threading.RLock()  # a stream that is done at once calls back at once
        self._gathered = _Flight()
        self._flying = False

    def send(self, records: Sequence[bytes], refused: Refused | None = None) -> "Future[None]":
        """Let records fly without waiting; the future is done when they are durable, or carries the error.

        Args:
            refused: Called before the future carries an error.
        """
        with self._lock:
            flight = self._gathered
            flight.records += records
            if refused is not None:
                flight.refused.append(refused)
            if not self._flying:
                self._start()
        return flight.landing

    def _start(self) -> None:
        """Let what has gathered fly, with the lock held."""
        flight, self._gathered = self._gathered, _Flight()
        self._flying = True
        try:
            written = self._streams.append_nowait(self._stream, flight.records)
        except TrimtabError as error:
            self._land(flight, error)
        else:
            written.add_done_callback(lambda done: self._land(flight, done.exception()))

    def _land(self, flight: _Flight, error: BaseException | None) -> None:
        """A flight is durable, or refused; what has gathered meanwhile flies next. Runs on the stream's thread."""
        with self._lock:
            self._flying = False
            if self._gathered.records:
                self._start()
        if error is None:
            flight.landing.set_result(None)
            return
        for refused in flight.refused:
            refused()
        flight.landing.set_exception(error)
