"""Repeated calls: with an idempotency key, a call is answered once and its effect recorded once."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import xxhash

from trimtab.loop.serve.exchange import Reply, Request
from trimtab.loop.serve.problem import Problem

#: The header, as ASGI gives it.
HEADER = b"idempotency-key"
#: What the draft calls a string: in quotation marks, with backslashes before these and themselves.
_QUOTED = re.compile(rb'"((?:[^"\\]|\\["\\])*)"')
_KEY = re.compile(rb"[\x20-\x7e]{1,128}")
_REPLAYED = (b"idempotent-replayed", b"true")


@dataclass(slots=True)
class _Call:
    """A call under its key: under way, or answered."""

    #: Digest of the body.
    mark: bytes
    #: None while it is under way.
    reply: Reply | None = None
    request_id: str | None = None
    #: Set when it was answered, or refused and forgotten.
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Repeats:
    """The newest answers of this worker by idempotency key; belongs to the event loop's thread.

    What this worker has forgotten, or another one answered, is answered anew; it is then logged a second time under
    the same request id, which readers of the log pass over. So the memory decides which bytes a repetition gets, and
    never how often something counts.

    Source:
        The Idempotency-Key HTTP header field, IETF draft of the HTTPAPI working group.
    """

    def __init__(self, *, most: int = 10_000, most_bytes: int = 16 << 20) -> None:
        """
        Args:
            most: Answers that are remembered; the oldest goes first.
            most_bytes: Size of their bodies together.
        """
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._calls: dict[tuple[str, str], _Call] = {}

    async def answer(self, request: Request, answer: Callable[[Request], Awaitable[Reply]]) -> Reply:
        """The answer that the call got before; else that of `answer`, which is then remembered.

        Raises:
            Problem: 400 where the key is none, 422 where it came with another body, or what `answer` raised.
        """
        key = _key_of(request)
        place = request.path, key
        mark = xxhash.xxh3_128_digest(await request.read())
        while (known := self._calls.get(place)) is not None:
            if known.mark != mark:
                raise Problem(
                    422,
                    "this Idempotency-Key came before with another body: a key belongs to one request, make a new one",
                    rule="idempotency key",
                )
            if known.reply is not None:
                request.request_id = known.request_id
                return known.reply._replace(headers=(*known.reply.headers, _REPLAYED))
            await known.over.wait()
        call = self._calls[place] = _Call(mark)
        request.call_id = hashlib.sha256(f"{request.path}\0{key}".encode()).hexdigest()[:32]
        try:
            call.reply = await answer(request)
            call.request_id = request.request_id
            self._bytes += len(call.reply.body)
        finally:
            call.over.set()
            if call.reply is None:
                del self._calls[place]  # nothing came of it: the next one tries again
        self._forget()
        return call.reply

    def _forget(self) -> None:
        while len(self._calls) > self._most or self._bytes > self._most_bytes:
            place = next((place for place, call in self._calls.items() if call.reply is not None), None)
            if place is None:
                return
            reply = self._calls.pop(place).reply
            self._bytes -= len(reply.body) if reply is not None else 0


def _key_of(request: Request) -> str:
    given = request.headers[HEADER].strip()
    quoted = _QUOTED.fullmatch(given)
    key = re.sub(rb"\\(.)", rb"\1", quoted[1]) if quoted else given
    if not _KEY.fullmatch(key):
        request.unread = True
        raise Problem(
            400,
            "the Idempotency-Key header is not 1 to 128 printable ASCII characters",
            rule="idempotency key",
        )
    return key.decode("ascii")
