"""HTTP as both planes take it: a request is the same to every program that reads it, and none is awaited for ever."""

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

#: Seconds in which a head (request line and headers) must be whole; from the connection, or from the head's first byte.
HEAD_SECONDS = 30.0
#: Bytes of a head that comes in several pieces.
MOST_HEAD_BYTES = 65_536
MOST_HEADERS = 200
#: Seconds in which like complaints about clients are told once.
_QUIET_SECONDS = 10.0


#: Headers that decide who gets in and what is taken: of two, one program reads the first and the next the last.
_ONCE = frozenset(
    {b"host", b"origin", b"authorization", b"sec-fetch-site", b"content-type", b"content-length", b"cookie"}
    | {b"transfer-encoding", b"content-encoding", b"idempotency-key"}
)


def repeated_header(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The first header that comes twice although it decides something; None where none does."""
    seen: set[bytes] = set()
    for name, _ in headers:
        if name in _ONCE and name in seen:
            return name.decode("latin-1")
        seen.add(name)
    return None


class Unclear(Exception):
    """Two programs could read this head differently: as two requests, or as sent to two hosts."""


class StrictHttp(HttpToolsProtocol):
    """uvicorn's protocol, but that

    - trailers of a chunked body are forgotten: they never stand among the headers;
    - a body comes to its request also where the client asks to upgrade, as those of HTTP/2 do; nothing is upgraded;
    - the host of a request line `GET http://host/` goes before the header `Host`, as RFC 9112 (3.2.2) has it;
    - `Transfer-Encoding` is `chunked`, of HTTP/1.1, or the request is refused;
    - a head has its limits in time, bytes and number of headers;
    - the log is not filled by clients that send what is no HTTP.
    """

    head_seconds = HEAD_SECONDS

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self.logger = _LOG
        self._in_head, self._head_bytes, self._again = True, 0, False
        self._since = 0.0
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._watch = self.loop.call_later(self.head_seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """End it."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        went_on = self._in_head
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserError:
            said = "Invalid HTTP request received."
            self.logger.warning(said)
            self.send_400_response(said)
            return
        if went_on and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._end(431, f"request line and headers have at most {MOST_HEAD_BYTES:,} bytes")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes, self._again = True, 0, False
        self._since = self.loop.time()

    def on_headers_complete(self) -> None:
        """A head is whole."""
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._again = True
            return
        self._in_head = False
        self._require_clear()
        super().on_headers_complete()
        self.headers = []  # where trailers go

    def on_message_complete(self) -> None:
        """A request is whole."""
        if not self._again:
            super().on_message_complete()

    def _feed(self, data: bytes) -> None:
        while True:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                if not self._again:  # CONNECT: what follows would be for another server
                    raise httptools.HttpParserError from None
                data = self._without_upgrade() + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)

    def _without_upgrade(self) -> bytes:
        """The head as a client writes it that asks for no upgrade; else the parser takes the body for a request."""
        line = b"%s %s HTTP/%s" % (
            self.parser.get_method(),
            self.url,
            self.parser.get_http_version().encode(),
        )
        kept = [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([line, *kept, b"\r\n"])

    def _require_clear(self) -> None:
        if len(self.headers) > MOST_HEADERS:
            raise Unclear
        for name, value in self.headers:
            if name == b"transfer-encoding" and (
                value.lower() != b"chunked" or self.parser.get_http_version() != "1.1"
            ):
                raise Unclear
        if self.url[:1] not in (b"/", b"*"):
            host = _host_in(self.url)
            named = [(name, host if name == b"host" else value) for name, value in self.headers]
            self.headers[:] = (
                named if any(name == b"host" for name, _ in named) else [(b"host", host), *named]
            )

    def _look(self) -> None:
        """End the connection where its head does not come."""
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._since = self.loop.time()  # what comes meanwhile is not read
        elif self._in_head and self.loop.time() - self._since >= self.head_seconds:
            self._end(408, f"no whole request came within {self.head_seconds:g} s")
            return
        self._watch = self.loop.call_later(self.head_seconds / 2, self._look)

    def _end(self, status: int, said: str) -> None:
        if self.transport.is_closing():
            return
        head = b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head % len(said) + said.encode())
        self.transport.close()


def _host_in(url: bytes) -> bytes:
    parsed = httptools.parse_url(url)
    if not parsed.host:
        raise Unclear
    host: bytes = b"[%s]" % parsed.host if b":" in parsed.host else parsed.host
    return host if parsed.port is None else b"%s:%d" % (host, parsed.port)


class _Seldom(logging.Filter):
    """Lets a complaint through once in a while, with how many like it there were since."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to tell it."""
        if record.levelno != logging.WARNING:
            return True
        said, now = str(record.msg), time.monotonic()
        last, count = self._told.get(said, (-_QUIET_SECONDS, 0))
        if now - last < _QUIET_SECONDS:
            self._told[said] = (last, count + 1)
            return False
        self._told[said] = (now, 0)
        if count:
            record.msg = f"{said} ({count} more since it was told last)"
        return True


_LOG = logging.getLogger("uvicorn.error.client")
_LOG.setLevel(logging.INFO)
_LOG.addFilter(_Seldom())
