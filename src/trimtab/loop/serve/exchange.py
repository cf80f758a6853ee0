"""One HTTP exchange: a request read within limits, and its reply."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

import msgspec

from trimtab.loop.serve.limit import Limits
from trimtab.loop.serve.problem import Problem, busy

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Shape = TypeVar("Shape")

JSON = b"application/json"
TEXT = b"text/plain; version=0.0.4; charset=utf-8"

#: Request ids end in headers, logs and file lines: printable ASCII without spaces.
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
#: A refused body is still read, for this long and no further, so that the client gets to hear the refusal.
_DRAIN_SECONDS = 5.0
_DRAIN_BYTES = 1 << 30
#: A refused body up to this size is read before the refusal, so that the connection can be kept.
_SMALL_BYTES = 64 * 1024


class Reply(NamedTuple):
    """What goes back."""

    body: bytes
    status: int = 200
    media_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Load:
    """How much is being held at once, over all requests."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.requests = 0
        self.body_bytes = 0


class Request:
    """An HTTP request under way."""

    def __init__(self, scope: Scope, receive: Receive, load: Load) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        #: As they came, in order.
        self.all_headers: list[tuple[bytes, bytes]] = scope["headers"]
        #: By name; of two like ones, the last.
        self.headers: dict[bytes, bytes] = dict(self.all_headers)
        #: Parts of the path that the route names, by name.
        self.names: dict[str, str] = {}
        #: The model that the request turned out to be for; refusals are logged under it.
        self.model: str | None = None
        #: The body as far as it was read.
        self.body = b""
        self.request_id: str | None = None
        #: Digest of the idempotency key that the call came with.
        self.call_id: str | None = None
        #: True where the client is still sending a body that nobody will use.
        self.unread = False
        self.started = perf_counter()
        self._receive = receive
        self._load = load
        self._held = 0
        self._whole = False

    async def json(self, shape: type[Shape]) -> Shape:
        """The body as `shape`; Problem says what is wrong with it."""
        return decode(await self.read(), shape)

    async def read(self) -> bytes:
        """The body, which must say that it is JSON; read once, however often it is asked for."""
        if not self._whole:
            self._require_json()
            self.body = await self._read()
        return self.body

    def identify(self, given: str | None) -> str | None:
        """The request's id: from the body, else by its idempotency key, else from `X-Request-Id`, else None."""
        if given is None and self.call_id is not None:
            given = self.call_id
        if given is None:
            header = self.headers.get(b"x-request-id")
            if header is None:
                return None
            given = header.decode("latin-1")
        if not _REQUEST_ID.fullmatch(given):
            raise Problem(
                422, "request_id is not 1 to 128 printable ASCII characters without spaces", rule="request_id"
            )
        self.request_id = given
        return given

    def release(self) -> None:
        """Give back what the body held of the plane's memory."""
        self._load.body_bytes -= self._held
        self._held = 0

    @property
    def is_small(self) -> bool:
        """Whether the body is short enough to be read although nobody will use it."""
        length = self.headers.get(b"content-length", b"0")
        chunked = b"transfer-encoding" in self.headers or b"expect" in self.headers
        return not chunked and length.isdigit() and int(length) <= _SMALL_BYTES

    async def drain(self) -> None:
        """Read and forget what the client still sends, for a while."""
        if self._whole or b"expect" in self.headers:
            return  # it is all here, or the client waits for our word before it sends
        seen = 0
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while seen < _DRAIN_BYTES:
                    message = await self._receive()
                    if message["type"] != "http.request" or not message.get("more_body", False):
                        return
                    seen += len(message.get("body", b""))
        except TimeoutError:
            return

    def _require_json(self) -> None:
        media_type = self.headers.get(b"content-type", b"")
        if media_type == JSON:
            return
        if b"inference-header-content-length" in self.headers:
            self.unread = True
            raise Problem(
                415,
                "binary tensors are not taken yet: send the tensors' data as JSON (binary_data=False)",
                rule="binary tensor extension",
            )
        essence, _, parameters = media_type.lower().partition(b";")
        charset = (
            parameters.replace(b" ", b"").replace(b'"', b"").partition(b"charset=")[2].partition(b";")[0]
        )
        without = essence == b"" and self.path.startswith("/v2/")  # Open Inference Protocol clients send none
        if (essence.strip() != JSON and not without) or charset not in (b"", b"utf-8", b"utf8"):
            self.unread = True
            raise Problem(
                415,
                "send the body as JSON in UTF-8 with the header `Content-Type: application/json`",
                rule="content type",
            )
        if self.headers.get(b"content-encoding", b"identity").lower() != b"identity":
            self.unread = True
            raise Problem(
                415, "compressed bodies are not taken: send the JSON as it is", rule="content encoding"
            )

    async def _read(self) -> bytes:
        limit = self._load.limits.body_bytes
        length = self.headers.get(b"content-length")
        if length is not None and length.isdigit():
            if int(length) > limit:
                self._too_large()
            self._hold(int(length))
        message = await self._receive()
        body: bytes = message.get("body", b"")
        if message["type"] == "http.request" and not message.get("more_body", False):
            self._whole = True
            if len(body) > limit:
                self._too_large()
            return body
        try:
            async with asyncio.timeout(self._load.limits.body_seconds):
                return await self._read_on(message, limit)
        except TimeoutError:
            seconds = self._load.limits.body_seconds
            raise Problem(408, f"the body did not arrive within {seconds:g} s", rule="body") from None

    async def _read_on(self, message: MutableMapping[str, Any], limit: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            if message["type"] == "http.disconnect":
                raise Problem(400, "the client left before the body was whole", rule="body")
            chunks.append(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            size += len(chunks[-1])
            if size > limit:
                self._too_large()
            if size > self._held:
                self._hold(size - self._held)
            if self._whole:
                return b"".join(chunks)
            message = await self._receive()

    def _hold(self, size: int) -> None:
        if self._load.body_bytes + size > self._load.limits.in_flight_bytes:
            self.unread = True
            raise busy("the bodies under way fill the memory set aside for them; come back in a second")
        self._load.body_bytes += size
        self._held += size

    def _too_large(self) -> None:
        self.unread = True
        raise Problem(
            413,
            f"the body is over {self._load.limits.body_bytes} bytes: send several requests",
            rule="body size",
        )


def decode(body: bytes, shape: type[Shape]) -> Shape:
    """Read strict JSON as `shape`; Problem 400 where it is no JSON, 422 where it is not the wanted JSON."""
    try:
        return msgspec.json.decode(body, type=shape)
    except RecursionError as error:
        raise Problem(400, "the JSON is nested too deeply", rule="depth") from error
    except msgspec.ValidationError as error:
        raise Problem(422, f"the JSON does not fit: {error}", rule="shape") from error
    except UnicodeDecodeError as error:
        raise Problem(
            400, f"the body is not UTF-8: {error.reason} at byte {error.start}", rule="utf-8"
        ) from error
    except ValueError as error:
        if not body.strip():
            raise Problem(400, "the body is empty: send JSON", rule="json") from error
        literal = next((word for word in ("NaN", "Infinity") if word.encode() in body), None)
        if literal:
            raise Problem(
                400,
                f"JSON has no {literal}: leave a missing number out as null ({error})",
                rule="finite numbers",
            ) from error
        raise Problem(400, str(error), rule="json") from error
