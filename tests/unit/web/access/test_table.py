"""The table: what reaches an endpoint, and what never does."""

import asyncio
import json
import time
from collections.abc import Iterator

import msgspec
import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from parts.asgi import ask
from trimtab.atoms.actor import Actor
from trimtab.atoms.error import (
    ConfigurationRefused,
    Conflict,
    ExecutorDied,
    NotThere,
    StoreError,
    UsageError,
    WritingEnded,
)
from trimtab.web.access.door import Door
from trimtab.web.access.gate import Gate
from trimtab.web.access.permission import Permission
from trimtab.web.access.table import Limits, Table
from trimtab.web.route import Call, Refused, Response, Route

HOME = "http://127.0.0.1:8500"
MLFLOW = "/api/2.0/mlflow/things"


class Thing(msgspec.Struct, forbid_unknown_fields=True):
    """What the routes here take and give."""

    name: str
    size: int = 0


class Asked(msgspec.Struct):
    limit: int = 10
    tag: list[str] = []


class Endpoints:
    """Notes every call that reached it."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.raises: Exception | None = None

    def plain(self, call: Call) -> object:
        self.calls.append(call)
        if self.raises is not None:
            raise self.raises
        return {"path": dict(call.path), "body": call.body, "query": call.query, "by": call.actor.by}

    async def waiting(self, call: Call) -> object:
        return self.plain(call)

    async def raw(self, call: Call) -> object:
        self.calls.append(call)
        return {"size": sum([len(chunk) async for chunk in call.stream()])}

    async def page(self, call: Call) -> Response:
        self.calls.append(call)
        return Response("<p>", media_type="text/html", headers={"cache-control": "max-age=1"})


def routes(endpoints: Endpoints) -> list[Route]:
    read, log = Permission.READ, Permission.LOG
    plain, waiting = endpoints.plain, endpoints.waiting
    return [
        Route("GET", "/things", read, plain, "", query=Asked),
        Route("POST", "/things", log, plain, "", body=Thing),
        Route("PUT", "/things/{thing}", log, waiting, "", body=Thing),
        Route("GET", "/things/{thing}/parts/{part:path}", read, plain, ""),
        Route("POST", "/things/sweep", log, plain, ""),
        Route("PUT", "/files/{path:path}", log, endpoints.raw, "", raw_body=True, most_bytes=100_000),
        Route("GET", "/page", read, endpoints.page, "", documented=False),
        Route("POST", MLFLOW, log, plain, "", body=Thing, query=Asked, errors="mlflow"),
    ]


@pytest.fixture
def endpoints() -> Endpoints:
    return Endpoints()


@pytest.fixture
def client(endpoints: Endpoints) -> Iterator[TestClient]:
    table = Table(
        routes(endpoints), door=Door(["models.example"]), gate=Gate("p", local=Actor(by="person:ann"))
    )
    with TestClient(table, base_url=HOME, raise_server_exceptions=False) as client:
        yield client


def test_what_is_declared_is_answered(client: TestClient) -> None:
    assert client.post("/things", json={"name": "a"}).json() == {
        "path": {},
        "body": {"name": "a", "size": 0},
        "query": None,
        "by": "person:ann",
    }
    assert client.get("/things?limit=3&tag=a&tag=b").json()["query"] == {"limit": 3, "tag": ["a", "b"]}
    assert client.put("/things/a%2Fb%20%C3%A9", json={"name": "a"}).json()["path"] == {"thing": "a/b é"}
    assert client.get("/things/a/parts/x/%2e%2e/y%2f/z").json()["path"] == {"thing": "a", "part": "x/../y//z"}
    assert client.post("/things/sweep").status_code == 200
    assert client.post("/things/sweep", json={}).status_code == 200


def test_head_is_answered_as_get(client: TestClient) -> None:
    assert client.head("/things").status_code == 200
    assert client.head("/things/sweep").status_code == 405


@pytest.mark.parametrize(
    "path", ["/", "/thing", "/things/", "//things", "/things/a/parts/", "/things/a/b", "/%2e/x"]
)
def test_nothing_is_where_no_route_is(client: TestClient, endpoints: Endpoints, path: str) -> None:
    answer = client.get(path, follow_redirects=False)
    assert (answer.status_code, endpoints.calls) == (404, [])
    assert answer.json()["detail"].startswith("nothing is at ")


def test_another_method_is_told_which_are_taken(client: TestClient, endpoints: Endpoints) -> None:
    for method in ("DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"):
        answer = client.request(method, "/things")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, HEAD")
    assert endpoints.calls == []


@pytest.mark.parametrize(
    "path", ["/things/%ff", "/things/a%00b", "/things/%c0%af", "/things?limit=%ff", "/things?tag=%00"]
)
def test_what_is_no_text_is_refused(client: TestClient, endpoints: Endpoints, path: str) -> None:
    answer = client.request("GET" if "?" in path else "PUT", path)
    assert (answer.status_code, endpoints.calls) == (400, [])


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example", "[::2]"),
        *("[::1]evil", "localhost:80:80", "localhost:evil", "[::1", "[::1]:x"),
    ],
)
def test_a_foreign_host_is_refused(client: TestClient, endpoints: Endpoints, host: str) -> None:
    for path in ("/things", "/nothing"):
        assert client.get(path, headers={"host": host}).status_code == 403
    assert endpoints.calls == []


@pytest.mark.parametrize(
    "host", ["localhost:1", "LOCALHOST", "127.0.0.1", "[::1]:8500", "models.example:443"]
)
def test_a_known_host_is_let_in(client: TestClient, host: str) -> None:
    assert client.get("/things", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://["},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://127.0.0.1:8500", "sec-fetch-site": "cross-site"},
    ],
)
def test_foreign_pages_change_nothing(
    client: TestClient, endpoints: Endpoints, headers: dict[str, str]
) -> None:
    assert client.post("/things", json={"name": "a"}, headers=headers).status_code == 403
    assert endpoints.calls == []
    assert client.get("/things", headers=headers).status_code == 200


def test_own_pages_may_change_things(client: TestClient) -> None:
    own = {"origin": HOME, "sec-fetch-site": "same-origin"}
    assert client.post("/things", json={"name": "a"}, headers=own).status_code == 200


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/json-patch+json",
    ],
)
@pytest.mark.parametrize("path", ["/things", "/things/sweep", MLFLOW])
def test_only_json_is_taken(client: TestClient, endpoints: Endpoints, media_type: str, path: str) -> None:
    answer = client.post(path, content=b'{"name": "a"}', headers={"content-type": media_type})
    assert (answer.status_code, endpoints.calls) == (415, [])


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=UTF-8", 'Application/JSON ;charset="utf-8"']
)
def test_json_is_known_by_its_other_spellings(client: TestClient, media_type: str) -> None:
    headers = {"content-type": media_type}
    assert client.post("/things", content=b'{"name": "a"}', headers=headers).status_code == 200


def test_compressed_json_is_not_taken(client: TestClient, endpoints: Endpoints) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    assert client.post("/things", content=b"\x1f\x8b", headers=headers).status_code == 415
    assert endpoints.calls == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"name": 1}',
        b'{"name": "a", "size": NaN}',
        b'{"name": "a", "size": 1.5}',
        b'{"name": "a", "other": 1}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": "a"} x',
        b'{"name": "a", "size": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"x":' * 100_000,
        b"\xef\xbb\xbf{}",
    ],
    ids=lambda body: body[:30].decode("latin-1"),
)
@pytest.mark.parametrize("path", ["/things", MLFLOW])
def test_json_that_does_not_fit_is_told_so(
    client: TestClient, endpoints: Endpoints, body: bytes, path: str
) -> None:
    answer = client.post(path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, endpoints.calls) == (400, [])


def test_only_the_foreign_protocol_takes_numbers_as_text(client: TestClient) -> None:
    body = {"name": "a", "size": "7"}
    assert client.post("/things", json=body).status_code == 400
    assert client.post(MLFLOW, json=body).json()["body"]["size"] == 7


def test_a_key_that_comes_twice_is_refused_but_in_the_foreign_protocol(
    client: TestClient, endpoints: Endpoints
) -> None:
    body, json_body = b'{"name": "a", "size": 1, "name": "b"}', {"Content-Type": "application/json"}
    refused = client.post("/things", content=body, headers=json_body)
    assert (refused.status_code, "'name' comes twice" in refused.json()["detail"]) == (400, True)
    assert endpoints.calls == []
    assert client.post(MLFLOW, content=body, headers=json_body).json()["body"]["name"] == "b"


@pytest.mark.parametrize(
    "query", ["limit=x", "limit=1&limit=2", "other=1", "limit=", "limit=1.5", "limit=1" + "&tag=a" * 1000]
)
def test_a_query_that_does_not_fit_is_told_so(client: TestClient, endpoints: Endpoints, query: str) -> None:
    assert client.get(f"/things?{query}").status_code == 400
    assert endpoints.calls == []


def test_names_that_are_not_known_are_passed_over_in_the_foreign_protocol_and_on_pages(
    client: TestClient,
) -> None:
    assert client.post(f"{MLFLOW}?other=1", json={"name": "a"}).status_code == 200
    assert client.get("/page?utm_source=x").status_code == 200


@pytest.mark.parametrize("body", [b'{"a": 1}', b"[]", b"1"])
def test_a_route_that_takes_nothing_says_so(client: TestClient, endpoints: Endpoints, body: bytes) -> None:
    answer = client.post("/things/sweep", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, endpoints.calls) == (400, [])


def test_a_body_that_is_too_long_is_refused_before_and_while_it_is_read(
    client: TestClient, endpoints: Endpoints
) -> None:
    headers = {"content-type": "application/json"}
    assert client.post("/things", content=b"x" * 1_000_001, headers=headers).status_code == 413

    def slowly() -> Iterator[bytes]:
        for _ in range(300):
            yield b"x" * 10_000

    assert client.post("/things", content=slowly(), headers=headers).status_code == 413
    assert endpoints.calls == []
    assert client.put("/files/a/b", content=b"x" * 100_001).status_code == 413
    assert client.put("/files/a/b", content=slowly()).status_code == 413
    assert client.put("/files/a/b", content=b"x" * 100_000).json() == {"size": 100_000}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Refused(418, "no tea", "TEAPOT"), 418, "TEAPOT"),
        (NotThere("no such thing"), 404, "RESOURCE_DOES_NOT_EXIST"),
        (Conflict("it is there"), 409, "RESOURCE_CONFLICT"),
        (UsageError("it is wrong"), 400, "INVALID_PARAMETER_VALUE"),
        (ExecutorDied("it cannot be done"), 503, "TEMPORARILY_UNAVAILABLE"),
    ],
)
def test_an_error_has_its_status_and_the_shape_of_its_route(
    client: TestClient, endpoints: Endpoints, error: Exception, status: int, code: str
) -> None:
    endpoints.raises = error
    ours = client.post("/things", json={"name": "a"})
    assert (ours.status_code, ours.headers["content-type"]) == (status, "application/problem+json")
    assert ours.json()["detail"] == str(error)
    assert ours.json()["request_id"] == ours.headers["x-request-id"]
    theirs = client.post(MLFLOW, json={"name": "a"})
    assert (theirs.status_code, theirs.json()["error_code"]) == (status, code)
    assert theirs.json()["message"] == str(error)
    assert ("retry-after" in theirs.headers) == (status == 503)


def test_a_store_in_trouble_is_told_without_its_internals(
    client: TestClient, endpoints: Endpoints, caplog: pytest.LogCaptureFixture
) -> None:
    endpoints.raises = StoreError("/secret/place cannot be written")
    for path in ("/things", MLFLOW):
        answer = client.post(path, json={"name": "a"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "secret" not in answer.text
        assert "trimtab fsck" in answer.text
        assert answer.headers["x-request-id"] in caplog.text
    assert "/secret/place" in caplog.text


def test_a_defect_is_told_without_its_internals(
    client: TestClient, endpoints: Endpoints, caplog: pytest.LogCaptureFixture
) -> None:
    endpoints.raises = KeyError("/secret/place")
    for path in ("/things", MLFLOW):
        answer = client.post(path, json={"name": "a"})
        assert answer.status_code == 500
        assert "secret" not in answer.text
    assert "/secret/place" in caplog.text


def test_nothing_in_the_foreign_protocol_has_its_shape(client: TestClient) -> None:
    for path in ("/api/2.0/mlflow/no", "/api/3.0/mlflow/no", "/ajax-api/2.0/no"):
        assert client.get(path).json()["error_code"] == "ENDPOINT_NOT_FOUND"


def test_a_person_gets_a_page(client: TestClient) -> None:
    answer = client.get("/<script>", headers={"accept": "text/html,*/*"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "<script>" not in answer.text


def test_answers_carry_what_keeps_browsers_from_running_them(client: TestClient) -> None:
    for answer in (client.get("/things"), client.get("/page"), client.get("/no")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-request-id"]
    assert client.get("/page").headers["cache-control"] == "max-age=1"
    assert client.get("/things").headers["cache-control"] == "no-store"


def test_a_header_that_decides_comes_once(client: TestClient, endpoints: Endpoints) -> None:
    for name in ("host", "authorization", "content-type", "origin"):
        twice = [(name, "127.0.0.1"), (name, "evil.example")]
        assert client.get("/things", headers=twice).status_code in (400, 403)
    assert endpoints.calls == []


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 129])
def test_an_idempotency_key_is_plain(client: TestClient, endpoints: Endpoints, key: str) -> None:
    headers = [(b"idempotency-key", key.encode())]
    assert client.post("/things/sweep", headers=headers).status_code == 400
    assert endpoints.calls == []


def test_an_idempotency_key_is_handed_on(client: TestClient, endpoints: Endpoints) -> None:
    client.post("/things/sweep", headers={"Idempotency-Key": "k-1"})
    assert endpoints.calls[0].idempotency_key == "k-1"
    assert endpoints.calls[0].headers["idempotency-key"] == "k-1"
    assert endpoints.calls[0].headers.get("nothing") is None


def test_more_than_can_be_answered_is_told_to_come_back() -> None:
    table = Table(
        routes(Endpoints()), gate=Gate("p", local=Actor(by="person:ann")), limits=Limits(in_flight=0)
    )
    answer = TestClient(table, base_url=HOME).get("/things")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def unending(table: Table, headers: dict[str, str]) -> "tuple[asyncio.Task[None], list[int]]":
    """A request whose body does not come to its end, and the statuses that it was answered."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/things",
        "raw_path": b"/things",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    said: list[int] = []

    async def receive() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: Message) -> None:
        said.extend([message["status"]] if "status" in message else [])

    return asyncio.create_task(table(scope, receive, send)), said  # type: ignore[arg-type]


SLOW = {"host": "localhost", "content-type": "application/json", "transfer-encoding": "chunked"}


def test_whoever_was_refused_holds_no_place_while_it_sends() -> None:
    """Else 512 connections without a token would shut everybody out."""
    free = Route("GET", "/free", Permission.OPEN, Endpoints().plain, "")
    table = Table([*routes(Endpoints()), free], gate=Gate("p"), limits=Limits(in_flight=1))

    async def story() -> int:
        began = [unending(table, SLOW) for _ in range(5)]
        while not all(said for _, said in began):
            await asyncio.sleep(0.01)
        assert [said for _, said in began] == [[401]] * 5
        assert not any(task.done() for task, _ in began)
        answer = await ask(table, "GET", b"/free")
        for task, _ in began:
            task.cancel()
        return answer.status

    assert asyncio.run(story()) == 200


def test_a_body_that_does_not_come_in_time_is_the_clients_delay() -> None:
    gate = Gate("p", local=Actor(by="person:ann"))
    table = Table(routes(Endpoints()), gate=gate, limits=Limits(seconds=0.1))

    async def story() -> list[int]:
        task, said = unending(table, SLOW)
        while not said:
            await asyncio.sleep(0.01)
        task.cancel()
        return said

    assert asyncio.run(story()) == [408]


def test_what_takes_too_long_is_given_up() -> None:
    async def never(call: Call) -> None:
        await asyncio.sleep(30)

    table = Table(
        [Route("GET", "/never", Permission.READ, never, "")],
        gate=Gate("p", local=Actor(by="person:ann")),
        limits=Limits(seconds=0.05),
    )
    before = time.monotonic()
    answer = TestClient(table, base_url=HOME).get("/never")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert time.monotonic() - before < 5


def test_a_server_whose_disk_refused_a_flush_knows_that_it_must_end(endpoints: Endpoints) -> None:
    table = Table(routes(endpoints), gate=Gate("p", local=Actor(by="person:ann")))
    endpoints.raises = WritingEnded("the disk refused a flush")
    assert TestClient(table, base_url=HOME).get("/things").status_code == 503
    assert table.ended is endpoints.raises


def nothing(call: Call) -> None:
    return None


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (Route("GET", "/silent", None, nothing, ""), "GET /silent does not say who may ask"),
        (Route("GET", "/silent", "read", nothing, ""), "GET /silent does not say who may ask"),  # type: ignore[arg-type]
        (Route("POST", "/things", Permission.LOG, nothing, ""), "POST /things: two routes"),
        (Route("PUT", "/things/{other}", Permission.LOG, nothing, ""), "PUT /things/{other}: two routes"),
        (Route("GET", "/a/{b:path}/c", Permission.READ, nothing, ""), "not the last part"),
        (Route("GET", "/a/{b}/{b}", Permission.READ, nothing, ""), "twice"),
        (Route("GET", "silent", Permission.READ, nothing, ""), "slash"),
        (Route("GET", "/odd", Permission.READ, nothing, "", errors="xml"), "'problem' or 'mlflow'"),
    ],
)
def test_a_server_with_an_unclear_route_does_not_start(endpoints: Endpoints, extra: Route, said: str) -> None:
    with pytest.raises(ConfigurationRefused) as refused:
        Table([*routes(endpoints), extra], gate=Gate("p"))
    assert said in str(refused.value)
    assert refused.value.exit_status == 78


def test_an_answer_of_nothing_has_no_body() -> None:
    table = Table([Route("GET", "/nothing", Permission.OPEN, nothing, "")], gate=Gate("p"))
    answer = TestClient(table, base_url=HOME).get("/nothing")
    assert (answer.status_code, answer.content) == (204, b"")


def test_json_is_encoded_once(client: TestClient) -> None:
    answer = client.get("/things")
    assert json.loads(answer.content)["by"] == "person:ann"
    assert answer.headers["content-length"] == str(len(answer.content))
