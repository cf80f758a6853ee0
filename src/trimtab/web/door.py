"""The door of the control plane: foreign hosts stay out, and nothing is changed from here."""

import logging
import secrets
from collections.abc import Iterable

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = logging.getLogger("trimtab.web")

#: Names of this machine's own loopback, always let in.
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

_POLICY = (
    b"default-src 'none'",
    b"style-src 'self'",
    b"img-src 'self' data:",
    b"script-src 'self'",
    b"connect-src 'self'",
    b"base-uri 'none'",
    b"form-action 'none'",
    b"frame-ancestors 'none'",
)
_HEADERS = [
    (
        b"content-security-policy",
        b"; ".join(_POLICY),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]

_TITLES = {
    400: "Bad request",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    500: "Internal error",
    503: "Service unavailable",
}


def problem_body(status: int, detail: str, request_id: str) -> bytes:
    """The JSON of a refusal (RFC 9457)."""
    title = _TITLES.get(status, "Error")
    problem = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "request_id": request_id,
    }
    return msgspec.json.encode(problem)


class Door:
    """The outermost layer: what it refuses, no route ever sees."""

    def __init__(self, application: ASGIApp, allowed_hosts: Iterable[str] = ()) -> None:
        """
        Args:
            allowed_hosts: Names and addresses without a port, beside loopback's; IPv6 addresses in brackets.
        """
        self._application = application
        self._hosts = {host.lower() for host in (*LOOPBACK, *allowed_hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [*_HEADERS, (b"x-request-id", request_id.encode())]
                message = {**message, "headers": [*message.get("headers", ()), *own]}
            await send(message)

        host = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
        if _without_port(host.lower()) not in self._hosts:
            detail = "the Host header names no host of this server: see control.allowed_hosts in trimtab.toml"
            await _refuse(guarded, 403, detail, request_id)
        elif scope["method"] not in ("GET", "HEAD"):
            detail = (
                f"{scope['method']} is not taken: this server only shows; decide with the `trimtab` command"
            )
            await _refuse(guarded, 405, detail, request_id, [(b"allow", b"GET, HEAD")])
        else:
            await self._pass(scope, receive, guarded, request_id)

    async def _pass(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        started = False

        async def noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._application(scope, receive, noting)
        except Exception:
            _LOG.exception("request %s failed", request_id)
            if started:
                raise
            detail = "a defect, or a damaged store: see the server's log and run `trimtab fsck`"
            await _refuse(send, 500, detail, request_id)


async def _refuse(
    send: Send, status: int, detail: str, request_id: str, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    body = problem_body(status, detail, request_id)
    own = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*own, *(headers or [])]})
    await send({"type": "http.response.body", "body": body})


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.partition(":")[0]
