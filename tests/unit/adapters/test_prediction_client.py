"""The client against a real plane: typed answers, refusals that say why, and a server that is away."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trimtab
from trimtab.adapters.prediction_client import Client, Kept
from trimtab.adapters.spool import Unreachable
from trimtab.atoms.error import UsageError


class Told(BaseHTTPRequestHandler):
    """Answers by plan, and remembers what it was asked."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, self.headers["Idempotency-Key"], json.loads(body)))  # type: ignore[attr-defined]
        plan = self.server.plan  # type: ignore[attr-defined]
        status, headers, answer = plan.pop(0) if plan else (200, {}, {"accepted": 1})
        content = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *words: object) -> None:
        """Silence."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Told)
        self.heard: list[tuple[str, str, Any]] = []
        self.plan: list[tuple[int, dict[str, str], Any]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as opened:
        thread = threading.Thread(target=opened.serve_forever, args=(0.01,))
        thread.start()
        yield opened
        opened.shutdown()
        thread.join()


ANSWER = {
    "predictions": [True],
    "probabilities": [[0.2, 0.8]],
    "classes": [False, True],
    "model_version": "3",
    "request_id": "r1",
}


def test_a_prediction_is_typed_and_carries_a_key(server: Server) -> None:
    server.plan = [(200, {}, ANSWER)]
    with trimtab.Client(server.url) as client:
        answer = client.predict("late arrival", [{"distance": np.float64(1.5), "carrier": "UA"}])
    assert (answer.predictions, answer.probabilities, answer.model_version) == ([True], [[0.2, 0.8]], "3")
    ((path, key, body),) = server.heard
    assert path == "/predict/late%20arrival"
    assert body == {"rows": [{"distance": 1.5, "carrier": "UA"}]}
    assert len(key.strip('"')) == 32


def test_a_busy_server_is_asked_again_under_the_same_key(server: Server) -> None:
    server.plan = [(429, {"Retry-After": "0"}, {}), (503, {}, {}), (200, {}, ANSWER)]
    with Client(server.url) as client:
        assert client.predict("late", [{}], key="mine").request_id == "r1"
    assert [key for _, key, _ in server.heard] == ['"mine"'] * 3


def test_a_refusal_says_why(server: Server) -> None:
    server.plan = [(422, {}, {"detail": "column 'x' is missing"})]
    with Client(server.url) as client, pytest.raises(UsageError, match="422: column 'x' is missing"):
        client.predict("late", [{}])
    assert len(server.heard) == 1


def test_a_server_that_is_away_is_named(server: Server) -> None:
    with Server() as gone:
        url = gone.url
    with Client(url, patience_s=0.2) as client:
        with pytest.raises(Unreachable, match=rf"{url} does not answer .*trimtab serve"):
            client.predict("late", [{}])
        with pytest.raises(Unreachable):
            client.outcomes("late", [{"request_id": "r1", "value": 1}])


def test_outcomes_wait_in_the_spool_and_are_sent_later(server: Server, tmp_path: Path) -> None:
    with Server() as gone:
        away = gone.url
    with Client(away, spool=tmp_path / "spool") as client:
        kept = [client.outcomes("late", [{"request_id": f"r{number}", "value": 1}]) for number in range(3)]
        assert not any(each.sent for each in kept)
        assert "does not answer" in client.sync(patience_s=0).waits
    with Client(server.url, spool=str(tmp_path / "spool")) as client:
        kept.append(client.outcomes("late", [{"request_id": "r3", "value": 1}]))
        assert kept[3].sent
        assert client.sync().sent == 0
    assert [body["outcomes"][0]["request_id"] for _, _, body in server.heard] == ["r0", "r1", "r2", "r3"]
    assert [key for _, key, _ in server.heard] == [f'"{each.key}"' for each in kept]


def test_refused_outcomes_raise_and_are_among_the_dead_letters(server: Server, tmp_path: Path) -> None:
    server.plan = [(404, {}, {"detail": "there is no model 'early' here"})]
    with Client(server.url, spool=tmp_path) as client:
        with pytest.raises(UsageError, match="there is no model 'early'"):
            client.outcomes("early", [{"request_id": "r", "value": 1}])
        assert client.outcomes("late", [{"request_id": "r", "value": 1}], key="k") == Kept(key="k", sent=True)
    (line,) = (tmp_path / "dead-letters.jsonl").read_text().splitlines()
    assert "there is no model" in json.loads(line)["reason"]


@pytest.mark.parametrize("key", ["", "x" * 129, "ä", "a\nb", 'a"b'])
def test_what_is_no_key_is_refused_before_it_is_sent(key: str) -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(UsageError, match="no idempotency key"):
        client.predict("late", [{}], key=key)


def test_what_is_no_address_or_no_json_is_refused() -> None:
    with pytest.raises(UsageError, match="is no address"):
        Client("127.0.0.1:8600")
    with Client("http://127.0.0.1:9") as client, pytest.raises(UsageError, match="cannot be sent as JSON"):
        client.predict("late", [{"x": object()}])


def test_the_client_loads_no_http_before_it_speaks() -> None:
    program = (
        "import sys, trimtab; trimtab.Client('http://127.0.0.1:9'); "
        "print([name for name in ('httpx2', 'numpy', 'polars', 'asyncio') if name in sys.modules])"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
