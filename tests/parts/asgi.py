"""An ASGI application asked without a network or a client between: thousands of requests in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message


@dataclass(slots=True)
class Said:
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


async def ask(
    application: ASGIApp,
    method: str,
    raw_path: bytes,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    query: bytes = b"",
) -> Said:
    """One request; `Host` is this machine's, unless `headers` say otherwise."""
    given = {"host": "127.0.0.1:8500", **(headers or {})}
    if body:
        given.setdefault("content-length", str(len(body)))
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": raw_path.decode("latin-1"),
        "raw_path": raw_path,
        "query_string": query,
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given.items()
        ],
    }
    said = Said(0, {}, b"")

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            said.status = message["status"]
            said.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            said.body += message.get("body", b"")

    await application(scope, receive, send)
    return said
