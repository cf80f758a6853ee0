"""HTTP as both planes take it, on a real socket: what the application gets, and what it never hears of."""

import asyncio
import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn

from parts.raw_http import send_raw, status_of
from trimtab.loop.serve.strict_http import MOST_HEADERS, StrictHttp

SECONDS = 0.5


class Hasty(StrictHttp):
    """Does not wait long for a head."""

    head_seconds = SECONDS


@dataclass
class Echo:
    """Answers what it was asked, and remembers it."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers, body, more = scope["headers"], b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        await asyncio.sleep(float(dict(headers).get(b"x-wait", b"0")))
        told = {
            "path": scope["path"],
            "method": scope["method"],
            "headers": [(name.decode(), value.decode()) for name, value in scope["headers"]],
            "body": body.decode(),
        }
        self.asked.append(told)
        said = json.dumps(told).encode()
        length = (b"content-length", b"%d" % len(said))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": said})


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        made.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(
            uvicorn.Config(made, http=Hasty, ws="none", lifespan="off", log_config=None, access_log=False)
        )
        running = threading.Thread(target=server.run, args=([listening],))
        running.start()
        yield made
        server.should_exit = True
        running.join()


def head(line: bytes = b"POST /x HTTP/1.1", *headers: bytes) -> bytes:
    return b"\r\n".join([line, *(headers or (b"Host: localhost",)), b"\r\n"])


HOST = b"Host: localhost"
CHUNKED = b"Transfer-Encoding: chunked"


def test_trailers_are_no_headers(echo: Echo) -> None:
    body = b"2\r\nhi\r\n0\r\nAuthorization: Bearer x\r\nHost: evil.example\r\n\r\n"
    assert status_of(send_raw(echo.address, head(b"POST /x HTTP/1.1", HOST, CHUNKED) + body)) == 200
    (asked,) = echo.asked
    assert asked["body"] == "hi"
    assert asked["headers"] == [("host", "localhost"), ("transfer-encoding", "chunked")]


UPGRADES = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__")


@pytest.mark.parametrize("pieces", [1, 2, 200])
def test_a_body_comes_to_its_request_where_a_client_asks_to_upgrade(echo: Echo, pieces: int) -> None:
    """As the clients of HTTP/2 do that may speak either; the body was taken for the next request."""
    inner = head(b"GET /smuggled HTTP/1.1")
    length = b"Content-Length: %d" % len(inner)
    whole = head(b"POST /x HTTP/1.1", HOST, *UPGRADES, length) + inner + head(b"GET /next HTTP/1.1", HOST)
    host, port = echo.address.removeprefix("http://").split(":")
    step = -(-len(whole) // pieces)
    with socket.create_connection((host, int(port)), timeout=5) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(whole), step):
            line.sendall(whole[start : start + step])
        answers = b""
        while answers.count(b"HTTP/1.1 200") < 2:
            answers += line.recv(65536)
    assert [(each["path"], each["body"]) for each in echo.asked] == [("/x", inner.decode()), ("/next", "")]


def test_a_request_to_upgrade_without_a_body_is_answered_and_the_next_one_too(echo: Echo) -> None:
    for upgrade in (b"h2c", b"websocket", b"\xff"):
        asks = head(b"GET /x HTTP/1.1", HOST, b"Connection: upgrade", b"Upgrade: " + upgrade)
        said = send_raw(echo.address, asks * 3)
        assert said.count(b"HTTP/1.1 200") == 3


@pytest.mark.parametrize(
    ("target", "named"),
    [
        (b"http://evil.example/x", "evil.example"),
        (b"http://evil.example:81/x?y", "evil.example:81"),
        (b"http://localhost@evil.example/x", "evil.example"),
        (b"http://[::1]:5/x", "[::1]:5"),
    ],
)
def test_the_host_of_the_request_line_goes_before_the_header(echo: Echo, target: bytes, named: str) -> None:
    for headers in ((HOST,), (b"Accept: */*",)):
        assert status_of(send_raw(echo.address, head(b"GET " + target + b" HTTP/1.1", *headers))) == 200
        assert [value for name, value in echo.asked.pop()["headers"] if name == "host"] == [named]


@pytest.mark.parametrize(
    "headers",
    [
        (b"Transfer-Encoding: gzip, chunked",),
        (b"Transfer-Encoding: chunked, chunked",),
        (b"Transfer-Encoding: identity",),
        (CHUNKED, CHUNKED),
        (CHUNKED, b"Content-Length: 2"),
        tuple(b"X-%d: x" % number for number in range(MOST_HEADERS)),
    ],
)
def test_what_two_programs_could_read_differently_is_refused(echo: Echo, headers: tuple[bytes, ...]) -> None:
    asks = head(b"POST /x HTTP/1.1", HOST, *headers) + b"2\r\nhi\r\n0\r\n\r\n"
    assert status_of(send_raw(echo.address, asks)) == 400
    assert echo.asked == []


def test_chunks_are_of_http_1_1(echo: Echo) -> None:
    asks = head(b"POST /x HTTP/1.0", HOST, CHUNKED) + b"2\r\nhi\r\n0\r\n\r\n"
    assert (status_of(send_raw(echo.address, asks)), echo.asked) == (400, [])


def connected(echo: Echo) -> socket.socket:
    host, port = echo.address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def test_a_head_that_does_not_come_is_not_awaited(echo: Echo) -> None:
    """Neither where nothing comes, nor where a byte comes now and then, on a new line or after an answer."""
    with connected(echo) as silent, connected(echo) as dripping, connected(echo) as second:
        second.sendall(head(b"GET /x HTTP/1.1", HOST))
        assert status_of(second.recv(65536)) == 200
        drip(dripping)
        drip(second)
        for line in (silent, dripping, second):
            assert ended(line) in (408, 0)
    assert len(echo.asked) == 1


def drip(line: socket.socket) -> None:
    """Send a head byte by byte until the server has enough of it."""
    began = time.monotonic()
    try:
        for byte in head(b"GET /x HTTP/1.1", HOST, *[b"X: y"] * 200):
            line.sendall(bytes([byte]))
            time.sleep(0.02)
            assert time.monotonic() - began < 20 * SECONDS
    except ConnectionError:
        return
    pytest.fail("the head was waited for")


def ended(line: socket.socket) -> int:
    said = b""
    try:
        while chunk := line.recv(65536):
            said += chunk
    except ConnectionError:
        return 0
    return status_of(said)


def test_a_request_that_takes_longer_than_a_head_is_answered(echo: Echo) -> None:
    wait = b"X-Wait: %g" % (3 * SECONDS)
    with connected(echo) as line:
        line.sendall(head(b"GET /x HTTP/1.1", HOST, wait) + b"GET /begun")
        assert status_of(line.recv(65536)) == 200
        line.sendall(b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert status_of(line.recv(65536)) == 200
    assert [each["path"] for each in echo.asked] == ["/x", "/begun"]


def test_a_head_without_end_is_not_kept(echo: Echo) -> None:
    sent = 0
    with connected(echo) as line, contextlib.suppress(ConnectionError):
        line.sendall(b"GET /x HTTP/1.1\r\nX: ")
        while sent < 50_000_000:
            line.sendall(b"a" * 10_000)
            sent += 10_000
    assert sent < 5_000_000


def test_a_long_body_before_the_next_head_is_no_long_head(echo: Echo) -> None:
    body = b"a" * 500_000
    whole = head(b"POST /x HTTP/1.1", HOST, b"Content-Length: %d" % len(body)) + body
    with connected(echo) as line:
        line.sendall(whole + b"GET /ne")
        line.sendall(b"xt HTTP/1.1\r\n")
        line.sendall(b"Host: localhost\r\n\r\n")
        said = b""
        while said.count(b"HTTP/1.1 200") < 2:
            said += line.recv(65536)
    assert [each["path"] for each in echo.asked] == ["/x", "/next"]


def test_clients_do_not_fill_the_log(echo: Echo, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for _ in range(30):
        assert status_of(send_raw(echo.address, b"no HTTP\r\n\r\n")) == 400
        send_raw(
            echo.address, head(b"GET / HTTP/1.1", HOST, b"Connection: upgrade", b"Upgrade: x"), wait=False
        )
    assert len(caplog.records) <= 2, caplog.text
