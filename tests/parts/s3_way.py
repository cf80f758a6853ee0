"""The way to an S3 server, with troubles on it: a proxy on 127.0.0.1 that a test tells what to do to each request."""

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

PASS = "pass"
#: The server never sees the request; the client is told of a trouble.
UNAVAILABLE = "unavailable"
#: The server acts, and the connection ends before its answer.
LOSE_ANSWER = "lose the answer"
#: The server acts, and the connection ends in the middle of its answer.
CUT = "cut"
#: Nothing is answered, and the connection stays.
HANG = "hang"
#: A bit of the answer's body is changed.
FLIP = "flip"
#: `If-None-Match` is left out, as by a server that does not know it.
IGNORE_CREATE_ONLY = "ignore create-only"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the test is asked about."""

    method: str
    #: Name of the object in its bucket, or empty for the bucket itself.
    name: str
    size_bytes: int


class S3Way:
    """Forwards each request, after `decide` said what shall happen to it; keeps what passed in `seen`."""

    def __init__(self, endpoint: str, *, create_only_in: Path | None = None) -> None:
        """Serve at once.

        Args:
            endpoint: Address of the server.
            create_only_in: The folder in which the server keeps its buckets, where create-only puts shall be added.
        """
        self.decide: Callable[[Request], str] = lambda request: PASS
        self.seen: list[Request] = []
        #: Requests that found no server, or lost it under way.
        self.lost = 0
        self._address = urlsplit(endpoint)
        self._folder = create_only_in
        self._creating, self._closed = threading.Lock(), threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Take no more requests."""
        served = self._thread.is_alive()
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
        assert served, "the way took no more requests before it was told to"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        way = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                way._forward(self)

            do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_any

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        return Handler

    def _forward(self, client: BaseHTTPRequestHandler) -> None:
        body = client.rfile.read(int(client.headers.get("Content-Length") or 0))
        name = unquote(urlsplit(client.path).path).lstrip("/").partition("/")[2]
        request = Request(method=client.command, name=name, size_bytes=len(body))
        self.seen.append(request)
        what = self.decide(request)
        if what == UNAVAILABLE:
            _answer(client, 503, [], b"<Error><Code>SlowDown</Code></Error>")
            return
        if what == HANG:
            self._closed.wait(60)
            client.close_connection = True
            return
        headers = list(client.headers.items())
        if what == IGNORE_CREATE_ONLY:
            headers = [(key, value) for key, value in headers if key.lower() != "if-none-match"]
        try:
            status, told, content = self._ask(client, headers, body)
        except (OSError, http.client.HTTPException):
            self.lost += 1
            client.close_connection = True
            return
        if what == LOSE_ANSWER:
            client.close_connection = True
        elif what == CUT:
            _answer(client, status, told, content, cut=len(content) // 2)
            client.close_connection = True
        else:
            flipped = bytes([content[0] ^ 1]) + content[1:] if what == FLIP and content else content
            _answer(client, status, told, flipped)

    def _ask(
        self, client: BaseHTTPRequestHandler, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        if self._folder is None or client.headers.get("If-None-Match") != "*":
            return self._send(client, headers, body)
        with self._creating:
            if (self._folder / unquote(urlsplit(client.path).path).lstrip("/")).exists():
                return 412, [], b"<Error><Code>PreconditionFailed</Code></Error>"
            return self._send(client, headers, body)

    def _send(
        self, client: BaseHTTPRequestHandler, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(
            str(self._address.hostname), self._address.port or 80, timeout=30
        )
        try:
            connection.putrequest(client.command, client.path, skip_host=True, skip_accept_encoding=True)
            for key, value in headers:
                connection.putheader(key, value)
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()


def _answer(
    client: BaseHTTPRequestHandler,
    status: int,
    headers: list[tuple[str, str]],
    content: bytes,
    *,
    cut: int | None = None,
) -> None:
    try:
        client.send_response_only(status)
        for key, value in headers:
            if key.lower() not in ("connection", "transfer-encoding", "content-length"):
                client.send_header(key, value)
        length = {key.lower(): value for key, value in headers}.get("content-length")
        client.send_header(
            "Content-Length", length if client.command == "HEAD" and length else str(len(content))
        )
        client.end_headers()
        client.wfile.write(content[:cut])
    except OSError:
        client.close_connection = True  # the client has gone
