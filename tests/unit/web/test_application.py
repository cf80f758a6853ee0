"""The application: what every route answers, and to whom."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from parts.page import asked
from trimtab.testing.example_year import MODEL, example_year
from trimtab.testing.memory_store import memory_store
from trimtab.testing.storyteller import Storyteller
from trimtab.views.memory import Memory

#: Children find the package where this process found it.
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

PAGES = ["/", "/checks", "/checks?verdict=FAIL", "/decisions", f"/id/{MODEL}@2", "/id/flights/2013-02"]
FACTS = [
    "/healthz",
    "/api/v1/head",
    "/api/v1/status",
    "/api/v1/models",
    "/api/v1/runs",
    "/api/v1/checks",
    "/api/v1/actions?kind=promote&limit=5",
    f"/api/v1/lineage/{MODEL}@champion",
    f"/api/v1/records/{MODEL}@champion",
]
OTHERS = ["/metrics", "/static/page.css", "/static/page.js", "/static/icon.svg"]


class Whole(HTMLParser):
    """Notes elements that are not closed in order, and what a strict policy would block."""

    VOID = frozenset({"meta", "link", "img", "br", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.faults.append(f"inline {name} on {tag}")
            if name in ("href", "src") and value:
                self.links.append(value)
        if tag == "script" and "src" not in dict(attrs):
            self.faults.append("inline script")
        if tag == "style":
            self.faults.append("inline style")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes something else")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_html_without_inline_code(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    page = Whole()
    page.feed(answer.text)
    assert (page.faults, page.open) == ([], [])
    assert "flights &amp; more" in answer.text
    assert "flights & more" not in answer.text


def test_no_link_of_the_first_page_leads_nowhere(client: TestClient) -> None:
    page = Whole()
    page.feed(client.get("/").text)
    for link in sorted(set(page.links)):
        assert link.startswith("/"), f"{link} leads away from this server"
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize("path", FACTS)
def test_facts_are_strict_json(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    json.loads(answer.text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


@pytest.mark.parametrize("path", [*PAGES, *FACTS, *OTHERS, "/nowhere"])
def test_every_answer_is_guarded(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "unsafe" not in headers["content-security-policy"]
    assert re.fullmatch(r"[0-9a-f]{16}", headers["x-request-id"])


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/api/v1/status", "/metrics", "/static/page.css", "/nowhere"])
def test_what_is_only_read_cannot_be_changed(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    if path == "/nowhere":
        assert answer.status_code == 404
        return
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/api/v1/status", "/metrics", "/healthz"])
def test_head_answers_without_a_body(client: TestClient, path: str) -> None:
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8500", 200),
        ("localhost", 200),
        ("[::1]:8500", 200),
        ("models.example:8500", 200),
        ("MODELS.example", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("", 403),
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/v1/status", "/static/page.css"])
def test_a_host_that_is_not_ours_is_refused(client: TestClient, host: str, status: int, path: str) -> None:
    answer = client.get(path, headers={"host": host})
    assert answer.status_code == status
    if status == 403:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "allowed_hosts" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/nowhere", 404, "nothing is at /nowhere"),
        ("/id/nonsense", 404, "names nothing here"),
        ("/api/v1/lineage/ffffffffffff", 404, "no artifact, check or action"),
        (f"/api/v1/records/{MODEL}@9", 404, "no version '9'"),
        ("/api/v1/checks?limit=0", 400, "$.limit"),
        ("/api/v1/checks?limit=9999999999999999999", 400, "$.limit"),
        ("/api/v1/actions?limit=x", 400, "$.limit"),
        ("/api/v1/checks?verdict=MAYBE", 400, "$.verdict"),
        ("/checks?verdict=MAYBE", 400, "$.verdict"),
        ("/static/../application.py", 404, ""),
        ("/static/%2e%2e/application.py", 404, ""),
    ],
)
def test_a_refusal_is_a_problem_with_its_reason(
    client: TestClient, path: str, status: int, says: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert says in problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_a_browser_gets_the_reason_as_a_page(client: TestClient) -> None:
    answer = client.get("/id/<b>x</b>", headers={"accept": "text/html,*/*"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "&lt;b&gt;" in answer.text
    assert "<b>x" not in answer.text


def test_a_damaged_blob_is_told_without_internals() -> None:
    store = memory_store()
    example_year(store, days=3)
    memory = Memory(store)
    memory.refresh()
    bundle = store.artifact(memory.releases.versions(MODEL)[0].bundle)
    shown = asked(store)
    assert shown.get(f"/id/{bundle.id}").status_code == 200
    store.blobs.discard(bundle.content, 0.0)
    answer = shown.get(f"/id/{bundle.id}")
    assert answer.status_code == 503
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert bundle.content not in answer.text
    assert "trimtab fsck" in answer.json()["detail"]
    assert shown.get("/api/v1/status").status_code == 200


def test_an_empty_store_shows_the_loop_and_what_to_do() -> None:
    shown = asked(memory_store(), models=["m"])
    page = shown.get("/")
    assert page.status_code == 200
    assert "Nothing is recorded yet" in page.text
    assert page.text.count('class="stage none"') == 20
    assert "Not released yet" in page.text
    assert shown.get("/metrics").status_code == 200
    assert shown.get("/api/v1/status").json()["models"] == {}


def test_the_page_follows_the_ledger() -> None:
    store = memory_store()
    shown = asked(store)
    assert "Nothing is recorded yet" in shown.get("/").text
    before = shown.get("/api/v1/head").json()
    Storyteller(store, datetime(2024, 1, 1, tzinfo=UTC)).tell(
        "trigger", "retrain", "m", note="because I say so"
    )
    page = shown.get("/").text
    assert "because I say so" in page
    after = shown.get("/api/v1/head").json()
    assert after["entries"] == before["entries"] + 2
    assert f'data-chain="{after["chain"]}"' in page


def test_the_control_plane_loads_nothing_heavy() -> None:
    code = "import sys, trimtab.web.application; print(*sorted(sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True, env=ENVIRONMENT
    )
    loaded = set(ran.stdout.split())
    assert not loaded & {
        "numpy",
        "polars",
        "pandas",
        "sklearn",
        "onnxruntime",
        "sqlalchemy",
        "cryptography",
        "rich",
    }
