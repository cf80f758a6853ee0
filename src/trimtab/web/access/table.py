"""The table: every route of the control plane, and the one way by which a request reaches any of them.

In this order, all before the endpoint: host, origin, who calls, what that one may do, size, content type, strict JSON.
"""

import asyncio
import inspect
import itertools
import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from trimtab.atoms.error import ConfigurationRefused, WritingEnded
from trimtab.web.access.body import Body, Left, Reader, require_no_body
from trimtab.web.access.deadline import Deadline, Overdue
from trimtab.web.access.denial import Denials
from trimtab.web.access.door import Door, require_once
from trimtab.web.access.gate import NOBODY, Foreign, Gate, NotGiven
from trimtab.web.access.header import GUARDED, JSON_GUARDED
from trimtab.web.access.permission import Permission
from trimtab.web.access.query import QueryReader, pairs
from trimtab.web.access.refusal import body_of, refusal_of
from trimtab.web.access.route_map import NotTaken, RouteMap, shown
from trimtab.web.route import Call, Refused, Route

_LOG = logging.getLogger("trimtab.web")
_SMALL_BODY = 65536
_FOREIGN_PROTOCOL = (b"/api/2.0/", b"/api/3.0/", b"/ajax-api/")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a table takes at most."""

    #: Requests that are being read or answered at once; more are told to come back.
    in_flight: int = 512
    #: Seconds in which a JSON route must have read its body and answered.
    seconds: float = 60.0
    #: Threads that run plain functions.
    threads: int = 16


class _Way:
    """A route, with what can be worked out before anybody calls."""

    __slots__ = ("endpoint", "mlflow", "permission", "query", "read", "route", "waits")

    def __init__(self, route: Route, permission: Permission) -> None:
        self.route, self.permission, self.endpoint = route, permission, route.endpoint
        self.mlflow = route.errors == "mlflow"
        self.waits = inspect.iscoroutinefunction(inspect.unwrap(route.endpoint))
        self.read = None if route.body is None else Reader(route.body, strict=not self.mlflow)
        self.query = None if route.query is None else QueryReader(route.query, tolerant=self.mlflow)


class Table:
    """An ASGI application made from routes; whatever none of them declares is refused."""

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        door: Door | None = None,
        gate: Gate,
        limits: Limits | None = None,
    ) -> None:
        """
        Raises:
            ConfigurationRefused: A route declares no permission, or two are in one place; the message names it.
        """
        self.routes = tuple(routes)
        #: Why nothing can be written any more, where that is so: the process must end.
        self.ended: WritingEnded | None = None
        self._map = _mapped(self.routes)
        self._door, self._gate = door or Door(), gate
        self._limits = limits or Limits()
        self._in_flight = 0
        self._pool = ThreadPoolExecutor(self._limits.threads, thread_name_prefix="endpoint")
        self._denials = Denials()
        self._run = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._exchange(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            raise NotImplementedError(f"the control plane speaks no {scope['type']}")

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                self._pool.shutdown(wait=False, cancel_futures=True)
                return

    async def _exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = f"{self._run}{next(self._numbers):08x}"
        headers = dict(scope["headers"])
        visit = _Visit(scope, headers, request_id, Body(headers, receive, 0))
        answer: Any = None
        refusal: Refused | None = None
        self._in_flight += 1
        try:
            answer = await self._answer(visit)
        except Left:
            return
        except Foreign:
            refusal = Refused(404, f"nothing is at {visit.shown}", "ENDPOINT_NOT_FOUND")
            self._denials.note(404, visit.method, visit.route_path)
        except Exception as error:
            if isinstance(error, WritingEnded):
                self.ended = error
            refusal = refusal_of(error, request_id)
        finally:
            self._in_flight -= 1
        if refusal is not None:  # whoever still sends then holds no place
            await self._refuse(visit, refusal, send)
            return
        if not visit.body.whole:
            await visit.body.drain()
        if isinstance(answer, Response):
            await self._send_response(visit, answer, receive, send)
            return
        body = b"" if answer is None else msgspec.json.encode(answer)
        await send(
            {
                "type": "http.response.start",
                "status": 204 if answer is None else 200,
                "headers": [
                    (b"content-type", b"application/json"),
                    (b"content-length", b"%d" % len(body)),
                    (b"x-request-id", request_id.encode()),
                    *JSON_GUARDED,
                ],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, visit: "_Visit") -> Any:
        scope, headers = visit.scope, visit.headers
        if len(headers) != len(scope["headers"]):
            require_once(scope["headers"])
        method: str = scope["method"]
        self._door.admit(method, headers)
        way, names = self._map.find(method, visit.raw_path)
        visit.way = way
        route = way.route
        if way.permission is Permission.OPEN:
            caller = NOBODY
        else:
            await self._gate.settle()
            caller = self._gate.admit(headers, method, way.permission)
        if self._in_flight > self._limits.in_flight:
            raise Refused(503, f"{self._limits.in_flight} requests are under way: come back in a second")
        body = visit.body = Body(headers, visit.body.receive, route.most_bytes)
        body.require_size()
        call = Call(
            method=method,
            path=names,
            query=_asked(way, scope["query_string"]),
            body=None,
            actor=caller.actor,
            permissions=caller.permissions,
            request_id=visit.request_id,
            headers=_Headers(headers),
            stream=body.stream,
            idempotency_key=_key(headers),
        )
        if route.raw_body:
            return await self._do(way, call)
        body.require_json()
        try:
            with Deadline(self._limits.seconds):
                content = await body.read()
                if way.read is not None:
                    call.body = way.read(content)
                elif content and not way.mlflow:
                    require_no_body(content)
                return await self._do(way, call)
        except Overdue:
            if body.whole:
                raise
            raise Refused(408, f"the body did not come within {self._limits.seconds:g} s") from None

    async def _do(self, way: _Way, call: Call) -> Any:
        if way.waits:
            return await way.endpoint(call)
        return await asyncio.get_running_loop().run_in_executor(self._pool, way.endpoint, call)

    async def _refuse(self, visit: "_Visit", refusal: Refused, send: Send) -> None:
        if refusal.status in (401, 403, 413, 415):
            name = refusal.name if isinstance(refusal, NotGiven) else ""
            self._denials.note(refusal.status, visit.method, visit.route_path, name)
        media_type, said = body_of(refusal, visit.shape, visit.request_id)
        headers = [
            (b"content-type", media_type),
            (b"content-length", b"%d" % len(said)),
            (b"x-request-id", visit.request_id.encode()),
            (b"cache-control", b"no-store"),
            *GUARDED,
        ]
        if refusal.status == 401:
            headers.append((b"www-authenticate", b'Bearer realm="trimtab"'))
        if refusal.status == 503:
            headers.append((b"retry-after", b"1"))
        if isinstance(refusal, NotTaken):
            headers.append((b"allow", refusal.allow.encode()))
        await self._tell(visit, refusal.status, headers, said, send)

    async def _tell(
        self, visit: "_Visit", status: int, headers: list[tuple[bytes, bytes]], said: bytes, send: Send
    ) -> None:
        """Answer at once, also where the client still sends; what it sends is forgotten, and the connection closed."""
        length = visit.headers.get(b"content-length", b"")
        if not visit.body.whole and length.isdigit() and int(length[:9]) <= _SMALL_BODY:
            await visit.body.drain()
        unread = not visit.body.whole
        if unread:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": said, "more_body": unread})
        if unread:
            await visit.body.drain()
            await send({"type": "http.response.body", "body": b""})

    async def _send_response(self, visit: "_Visit", answer: Response, receive: Receive, send: Send) -> None:
        own = [(b"x-request-id", visit.request_id.encode()), *GUARDED]

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", ())
                names = {name for name, _ in given}
                message = {**message, "headers": [*given, *(pair for pair in own if pair[0] not in names)]}
            await send(message)

        try:
            await answer(visit.scope, receive, guarded)
        except Exception:
            _LOG.exception("request %s ended in the middle of its answer", visit.request_id)
            raise


class _Visit:
    """One request on its way through the table."""

    __slots__ = ("body", "headers", "raw_path", "request_id", "scope", "way")

    def __init__(self, scope: Scope, headers: dict[bytes, bytes], request_id: str, body: Body) -> None:
        self.scope, self.headers, self.request_id, self.body = scope, headers, request_id, body
        self.raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        self.way: _Way | None = None

    @property
    def method(self) -> str:
        return str(self.scope["method"])[:20]

    @property
    def route_path(self) -> str:
        return self.way.route.path if self.way else ""

    @property
    def shown(self) -> str:
        return shown(self.raw_path)

    @property
    def shape(self) -> str:
        """How this client reads a refusal."""
        if self.way.mlflow if self.way else self.raw_path.startswith(_FOREIGN_PROTOCOL):
            return "mlflow"
        return "page" if b"text/html" in self.headers.get(b"accept", b"") else "problem"


class _Headers(Mapping[str, str]):
    """Headers as text, decoded when they are asked for."""

    __slots__ = ("_raw",)

    def __init__(self, raw: dict[bytes, bytes]) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        return self._raw[name.encode("latin-1")].decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._raw)

    def __len__(self) -> int:
        return len(self._raw)


def _mapped(routes: Sequence[Route]) -> RouteMap[_Way]:
    mapped: RouteMap[_Way] = RouteMap()
    for route in routes:
        where = f"the route {route.method} {route.path}"
        if not isinstance(route.permission, Permission):
            raise ConfigurationRefused(
                f"{where} does not say who may ask: give it a permission; nothing was started"
            )
        if route.errors not in ("problem", "mlflow"):
            raise ConfigurationRefused(f"{where}: errors are 'problem' or 'mlflow', not {route.errors!r}")
        try:
            mapped.add(route.method, route.path, _Way(route, route.permission))
        except ValueError as error:
            raise ConfigurationRefused(f"{where}: {error}; nothing was started") from error
    return mapped


def _asked(way: _Way, raw: bytes) -> Any:
    if way.query is not None:
        return way.query(raw)
    if raw and not way.mlflow and way.route.documented and pairs(raw):
        raise Refused(400, "no query is taken here: leave it out")
    return None


def _key(headers: dict[bytes, bytes]) -> str | None:
    given = headers.get(b"idempotency-key")
    if given is None:
        return None
    if not 1 <= len(given) <= 128 or not all(33 <= byte <= 126 for byte in given):
        raise Refused(400, "Idempotency-Key is 1 to 128 printable ASCII characters without spaces")
    return given.decode("ascii")
