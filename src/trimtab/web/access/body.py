"""A request's body: read within limits, and decoded strictly; refused before it costs anything."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.types import Receive

from trimtab.web.access.repeated_key import repeated_key
from trimtab.web.route import Refused

#: Seconds of waiting in which the next bytes of a file must come, and how many: 500 a second.
STALL_SECONDS, LEAST_BYTES = 60.0, 30_000
#: A refused body is still read for so long and no further, so that the client gets to hear the refusal.
_DRAIN_SECONDS = 3.0
_DRAIN_BYTES = 1 << 30


class Left(Exception):
    """The client is gone before its body was whole: nobody is there to be told."""


class Body:
    """The body of one request, and how far it was read."""

    __slots__ = ("_headers", "_most", "receive", "whole")

    def __init__(self, headers: dict[bytes, bytes], receive: Receive, most_bytes: int) -> None:
        self._headers, self.receive, self._most = headers, receive, most_bytes
        #: Whether nothing of it is still to come.
        self.whole = b"content-length" not in headers and b"transfer-encoding" not in headers

    def require_size(self) -> None:
        """Refused 413 where the body says itself that it is too long; not a byte of it was read."""
        length = self._headers.get(b"content-length")
        if length is None:
            return
        if not length.isdigit():
            raise Refused(400, "Content-Length is a whole number")
        if len(length) > 18 or int(length) > self._most:
            raise self._too_long()
        if int(length) == 0:
            self.whole = True

    def require_json(self) -> None:
        """Refused 415 where what comes is not plain JSON in UTF-8."""
        if self.whole:
            return
        media_type = self._headers.get(b"content-type", b"")
        if media_type != b"application/json":
            essence, _, parameters = media_type.lower().partition(b";")
            charset = parameters.replace(b" ", b"").replace(b'"', b"").partition(b"charset=")[2]
            if essence.strip() != b"application/json" or charset.partition(b";")[0] not in (
                b"",
                b"utf-8",
                b"utf8",
            ):
                raise Refused(
                    415, "send the body as JSON in UTF-8, with the header `Content-Type: application/json`"
                )
        if self._headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise Refused(415, "compressed bodies are not taken: send the JSON as it is")

    async def read(self) -> bytes:
        """All of it; Refused 413 as soon as it is too long."""
        if self.whole:
            return b""
        message = await self.receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self.whole = True
            body: bytes = message.get("body", b"")
            if len(body) > self._most:
                raise self._too_long()
            return body
        chunks, size = [], 0
        while True:
            chunk = self._taken(message)
            chunks.append(chunk)
            size += len(chunk)
            if size > self._most:
                raise self._too_long()
            if self.whole:
                return b"".join(chunks)
            message = await self.receive()

    async def stream(self) -> AsyncIterator[bytes]:
        """Piece by piece; Refused 413 once it is too long, 408 where the client stops sending, or all but stops."""
        size, waited, due = 0, 0.0, LEAST_BYTES
        while not self.whole:
            began = time.monotonic()
            try:
                async with asyncio.timeout(STALL_SECONDS):
                    message = await self.receive()
            except TimeoutError:
                raise Refused(408, f"no more bytes came for {STALL_SECONDS:g} s") from None
            chunk = self._taken(message)
            size += len(chunk)
            if size > self._most:
                raise self._too_long()
            waited += time.monotonic() - began
            if waited >= STALL_SECONDS:
                if size < due and not self.whole:
                    raise Refused(408, f"fewer than {LEAST_BYTES:,} bytes came in {STALL_SECONDS:g} s")
                waited, due = 0.0, size + LEAST_BYTES
            if chunk:
                yield chunk

    async def drain(self) -> None:
        """Read and forget what the client still sends, for a while."""
        if b"expect" in self._headers:
            return  # the client waits for our word before it sends
        seen = 0
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not self.whole and seen < _DRAIN_BYTES:
                    seen += len(self._taken(await self.receive()))
        except (TimeoutError, Left):
            return

    def _taken(self, message: Any) -> bytes:
        if message["type"] == "http.disconnect":
            self.whole = True
            raise Left
        self.whole = not message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        return chunk

    def _too_long(self) -> Refused:
        return Refused(413, f"the body is longer than the {self._most:,} bytes that are taken here")


class Reader:
    """Decodes one route's JSON."""

    __slots__ = ("_decode", "_strict")

    def __init__(self, shape: type[msgspec.Struct], *, strict: bool) -> None:
        """
        Args:
            strict: False: numbers may come as text, as the clients of protocol buffers send them, and of a key that
                comes twice the last one counts, as it does at their own server.
        """
        self._decode, self._strict = msgspec.json.Decoder(shape, strict=strict).decode, strict

    def __call__(self, body: bytes) -> Any:
        """The body as the struct; an empty one stands for `{}`. Refused 400 says what is wrong with it."""
        try:
            read = self._decode(body or b"{}")
            twice = repeated_key(body) if self._strict else None
        except msgspec.ValidationError as error:
            raise Refused(400, f"the body does not fit: {error}") from error
        except RecursionError as error:
            raise Refused(400, "the body is nested too deeply") from error
        except UnicodeDecodeError as error:
            raise Refused(400, f"the body is not UTF-8: {error.reason}") from error
        except (msgspec.MsgspecError, ValueError, OverflowError) as error:
            raise Refused(400, f"the body is no strict JSON: {error}") from error
        if twice is not None:
            raise Refused(
                400, f"the key {twice[:60]!r} comes twice in one object of the body: leave one of them out"
            )
        return read


def require_no_body(body: bytes) -> None:
    """Refused 400 where a route that takes nothing is given something."""
    if body.strip() not in (b"", b"{}", b"null"):
        raise Refused(400, "no body is taken here: leave it out")
