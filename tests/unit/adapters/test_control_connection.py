"""The client at servers that are none of ours: to whom the token goes, and what a person is told."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from trimtab.adapters.control_client import ControlClient
from trimtab.adapters.control_client.address import is_open_way, server_address
from trimtab.atoms.error import TrimtabError, UsageError

TOKEN = "tt_viewer_000000000000000000000000000000_000000"


class Stranger(http.server.ThreadingHTTPServer):
    """A server that answers everything with the same."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.body, self.headers = status, body, headers
        #: Every authorization that was shown; None where there was none.
        self.shown: list[str | None] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Stranger

    def do_GET(self) -> None:
        self.server.shown.append(self.headers["Authorization"])
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(self.server.status)
        for name, value in {**self.server.headers, "Content-Length": str(len(self.server.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *words: Any) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[Callable[..., Stranger]]:
    running: list[Stranger] = []

    def begin(status: int = 200, body: bytes = b"", **headers: str) -> Stranger:
        made = Stranger(status, body, headers)
        threading.Thread(target=made.serve_forever).start()
        running.append(made)
        return made

    yield begin
    for each in running:
        each.shutdown()
        each.server_close()


DEEDS: list[Callable[[ControlClient], object]] = [
    lambda client: client.views.status(),
    lambda client: client.tokens.all(),
    lambda client: client.tokens.create("a", ["viewer"], expires_in=None),
    lambda client: client.tokens.revoke("a"),
    lambda client: client.runs.open(),
    lambda client: client.files.put("a", "b", iter([b"c"])),
    lambda client: client.files.read("a", "b").__enter__(),
]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_token_is_not_carried_on_to_where_a_server_sends(
    stranger: Callable[..., Stranger], status: int
) -> None:
    second = stranger(body=b"{}")
    first = stranger(status, Location=f"http://localhost:{second.server_port}/api/v1/status")
    for deed in DEEDS:
        with ControlClient(first.address, TOKEN) as client, pytest.raises(UsageError) as told:
            deed(client)
        assert f"sends on to http://localhost:{second.server_port}" in str(told.value)
    assert (len(first.shown), second.shown) == (len(DEEDS), [])


@pytest.mark.parametrize("body", [b"<html>hello", b"{}", b"[]", b"", b'{"head": 1}', b"\xff"])
def test_what_is_no_trimtab_is_told_so(stranger: Callable[..., Stranger], body: bytes) -> None:
    server = stranger(body=body)
    for deed in DEEDS[:-1]:
        with ControlClient(server.address, patience_s=0.1) as client, pytest.raises(TrimtabError) as told:
            deed(client)
        assert "is it the control plane's address" in str(told.value)


def test_a_server_that_repeats_the_token_does_not_make_us_print_it(stranger: Callable[..., Stranger]) -> None:
    server = stranger(400, json.dumps({"detail": f"what is {TOKEN}?"}).encode())
    with ControlClient(server.address, TOKEN) as client, pytest.raises(TrimtabError) as told:
        client.views.status()
    assert str(told.value) == "what is tt_...?"


def test_this_machine_is_asked_without_the_environments_proxy(
    stranger: Callable[..., Stranger], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = stranger(body=b"{}"), stranger(body=b'{"tokens": []}')
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.address)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for host in ("127.0.0.1", "localhost"):
        with ControlClient(f"http://{host}:{server.server_port}", TOKEN) as client:
            assert client.tokens.all() == []
    assert (proxy.shown, len(server.shown)) == ([], 2)


@pytest.mark.parametrize(
    "url",
    [
        *("", "127.0.0.1:8500", "ftp://x", "http://", "http:///x", "http://:80", "http://[::1", "http://x:y"),
        *("http://x:99999", "http://x/?a=b", "http://x#a", "http://x?", "file:///etc/passwd"),
    ],
)
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(UsageError, match="is no address of a server"):
        ControlClient(url)


@pytest.mark.parametrize(
    "url", ["http://ann:s3cret@x", "https://s3cret@x", "ftp://s3cret@x", "http://s3cret@["]
)
def test_a_password_in_an_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as told:
        ControlClient(url)
    assert "s3cret" not in str(told.value)


def test_an_address_may_have_a_path() -> None:
    assert server_address("https://models.example/trimtab/") == "https://models.example/trimtab"


@pytest.mark.parametrize(
    ("url", "open_way"),
    [
        ("http://models.example", True),
        ("http://10.0.0.1:8500", True),
        ("http://localhost.example", True),
        ("https://models.example", False),
        ("http://127.0.0.1:8500", False),
        ("http://127.9.9.9", False),
        ("http://[::1]:8500", False),
        ("http://localhost", False),
    ],
)
def test_a_token_on_an_open_way_is_told(url: str, open_way: bool, caplog: pytest.LogCaptureFixture) -> None:
    assert is_open_way(url) == open_way
    ControlClient(url)
    assert not caplog.records
    ControlClient(url, TOKEN)
    assert ("unencrypted" in caplog.text) == open_way
    assert TOKEN not in caplog.text
