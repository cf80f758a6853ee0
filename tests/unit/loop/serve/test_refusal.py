"""Whatever a client gets wrong is told in a 4xx with problem+json, and is never our failure."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROW = {"distance": 12.5, "carrier": "UA", "stops": 2}
DEEP = b'{"rows": [{"distance": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}"
LESS_DEEP = b'{"rows": [{"distance": ' + b"[" * 300 + b"]" * 300 + b', "carrier": "UA", "stops": 2}]}'


@pytest.fixture
def plane(shop):
    shop.plan(shop.bundle())
    return shop.plane(limits={"rows": 50, "body_bytes": 500_000})


@pytest.mark.parametrize(
    ("body", "status", "column", "rule"),
    [
        (b"{", 400, None, "json"),
        (b"", 400, None, "json"),
        (b"\xff\xfe", 400, None, "json"),
        (b'{"rows": [{"carrier": "\xff"}]}', 400, None, "utf-8"),
        (DEEP, 400, None, "depth"),
        (LESS_DEEP, 400, None, "depth"),
        (b'{"rows": [{"distance": NaN, "carrier": "UA", "stops": 2}]}', 400, None, "finite numbers"),
        (b'{"rows": [{"distance": 1e999, "carrier": "UA", "stops": 2}]}', 422, None, "shape"),
        (
            b'{"rows": [{"distance": 1%s, "carrier": "UA", "stops": 2}]}' % (b"0" * 400),
            422,
            "distance",
            "type",
        ),
        (b'{"rows": [{"distance": 1, "carrier": "UA", "stops": 1%s}]}' % (b"0" * 400), 422, "stops", "type"),
        (b'{"rows": [{"distance": 1%s}]}' % (b"0" * 5000), 422, None, "shape"),
        (b'{"rows": [{"distance": 1, "carrier": "\\ud800", "stops": 2}]}', 400, None, "json"),
        (b'{"rows": [{"distance": 1, "carrier": "\xed\xa0\x80", "stops": 2}]}', 400, None, "utf-8"),
        (b'\xef\xbb\xbf{"rows": []}', 400, None, "json"),
        (b'{"rows": []} x', 400, None, "json"),
        (b'{"rows": []}\0', 400, None, "json"),
        (b"[]", 422, None, "shape"),
        (b"{}", 422, None, "shape"),
        ({"rows": 3}, 422, None, "shape"),
        ({"rows": [ROW], "row": 1}, 422, None, "shape"),
        ({"rows": []}, 422, None, "rows not empty"),
        ({"rows": [ROW] * 51}, 413, None, "rows"),
        ({"rows": [3]}, 422, None, "not a row"),
        ({"rows": [{}]}, 422, "distance", "missing column"),
        ({"rows": [ROW | {"late": True}]}, 422, "late", "extra column"),
        ({"rows": [ROW | {"distance": "far"}]}, 422, "distance", "type"),
        ({"rows": [ROW | {"distance": True}]}, 422, "distance", "type"),
        ({"rows": [ROW | {"stops": 1.5}]}, 422, "stops", "type"),
        ({"rows": [ROW | {"stops": 10**30}]}, 422, "stops", "type"),
        ({"rows": [ROW | {"carrier": 7}]}, 422, "carrier", "type"),
        ({"rows": [ROW | {"carrier": "ZZ"}]}, 422, "carrier", "unseen category"),
        ({"rows": [ROW | {"carrier": None}]}, 422, "carrier", "missing value"),
    ],
)
def test_a_body_that_cannot_be_answered(plane, client, shop, body, status, column, rule):
    told = client(plane, "POST", "/predict/late", body)
    assert (told.status, told.headers["content-type"]) == (status, "application/problem+json")
    problem = told.json
    assert problem.get("column") == column
    assert problem["rule"] == rule
    assert problem["status"] == status
    assert problem["detail"]
    (refusal,) = shop.stream("refusals/late")
    assert (refusal["status"], refusal["error"]) == (status, problem["detail"])
    assert len(refusal["inputs"]) <= 4096


def test_the_problem_names_the_row(plane, client):
    told = client(plane, "POST", "/predict/late", {"rows": [ROW, ROW, ROW | {"carrier": "ZZ"}]})
    assert told.json["row"] == 2
    assert "row 2" in told.json["detail"]


def test_a_lenient_plane_takes_unseen_categories_and_missing_values(shop, client):
    shop.plan(shop.bundle())
    plane = shop.plane(strict=False)
    rows = [ROW | {"carrier": "ZZ"}, ROW | {"carrier": None}, ROW | {"stops": None}]
    assert client(plane, "POST", "/predict/late", {"rows": rows}).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("POST", "/predict/nobody", 404, None),
        ("GET", "/", 404, None),
        ("GET", "/predict", 404, None),
        ("POST", "/predict/late/more", 404, None),
        ("GET", "/predict/late", 405, "POST"),
        ("PUT", "/outcomes/late", 405, "POST"),
        ("POST", "/metrics", 405, "GET"),
        ("DELETE", "/v2/models/late/infer", 405, "POST"),
        ("GET", "/v2/models/nobody", 404, None),
        ("GET", "/v2/models/late/versions/7", 404, None),
        ("GET", "/v2/models/late/versions/x", 404, None),
        ("POST", "/v2/models/late/versions/7/infer", 422, None),
    ],
)
def test_a_path_that_is_not_there(plane, client, method, path, status, allow):
    told = client(plane, method, path, {})
    assert told.status == status
    assert told.headers.get("allow") == allow
    assert told.json["status"] == status


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "",
        "text/csv",
        "%%%",
    ],
)
def test_only_json_is_taken(plane, client, content_type):
    told = client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers={"content-type": content_type})
    assert told.status == 415


def test_json_in_utf_8_may_say_so(plane, client):
    headers = {"content-type": 'Application/JSON; charset="UTF-8"'}
    assert client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers=headers).status == 200


def test_a_body_over_the_limit_is_refused_before_it_is_read(plane, exchange):
    told = asyncio.run(
        exchange(
            plane, "POST", "/predict/late", headers={"content-length": "500001", "expect": "100-continue"}
        )
    )
    assert told.status == 413
    assert told.headers["connection"] == "close"


def test_a_chunked_body_is_counted_while_it_comes(plane, client):
    told = client(
        plane,
        "POST",
        "/predict/late",
        chunks=[b" " * 100_000] * 9,
        headers={"content-length": None, "transfer-encoding": "chunked"},
    )
    assert told.status == 413


def test_a_body_in_pieces_is_put_together(plane, client):
    body = json.dumps({"rows": [ROW]}).encode()
    assert client(plane, "POST", "/predict/late", chunks=[body[:7], body[7:20], body[20:]]).status == 200


def test_bodies_that_fill_the_memory_are_told_to_come_back(shop, client):
    shop.plan(shop.bundle())
    plane = shop.plane(limits={"in_flight_bytes": 10})
    told = client(plane, "POST", "/predict/late", {"rows": [ROW]})
    assert (told.status, told.headers["retry-after"]) == (429, "1")


def test_requests_beyond_the_limit_are_refused_at_once(shop, exchange):
    shop.plan(shop.bundle({"hang": True}))
    plane = shop.plane(limits={"in_flight": 3})
    rows = [ROW] * 40  # too many to be answered on the loop itself

    async def story():
        waiting = [
            asyncio.ensure_future(exchange(plane, "POST", "/predict/late", {"rows": rows})) for _ in range(3)
        ]
        await asyncio.sleep(0)
        refused = await exchange(plane, "POST", "/predict/late", {"rows": rows})
        health = await exchange(plane, "GET", "/v2/health/live")
        shop.runtime.gate.set()
        answered = await asyncio.gather(*waiting)
        await plane.close()
        return refused, health, answered

    refused, health, answered = asyncio.run(story())
    assert (refused.status, refused.headers["retry-after"]) == (429, "1")
    assert "3 requests are under way" in refused.json["detail"]
    assert health.status == 200
    assert len(answered) == 3


@pytest.mark.parametrize(
    "host",
    ["evil.example", "", "localhost.evil.example:8600", "127.0.0.1.evil", "[::1]evil", "localhost:80:80"],
)
def test_a_foreign_host_is_refused(plane, client, host):
    assert client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers={"host": host}).status == 400


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8600", "[::1]:8600", "Models.Example:80"])
def test_a_known_host_is_let_in(shop, client, host):
    shop.plan(shop.bundle())
    plane = shop.plane(hosts=["models.example"])
    assert client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers={"host": host}).status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://localhost:8600"}, 200),
        ({"origin": "http://localhost:3000"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://["}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_pages_of_other_origins_may_not_post(plane, client, headers, status):
    assert client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers=headers).status == status


@pytest.mark.parametrize(
    "name", ["host", "origin", "authorization", "content-type", "content-length", "idempotency-key"]
)
def test_a_header_that_decides_comes_once(plane, client, name):
    """Else a proxy lets a request in by the first of them, and this plane reads the last."""
    values = {"host": "localhost", "content-type": "application/json", "content-length": "2"}
    value = values.get(name, "http://localhost:8600")
    for first in (value, "other"):
        more = ((name, first), (name, value))
        told = client(plane, "POST", "/predict/late", {"rows": [ROW]}, more_headers=more)
        assert (told.status, told.json["detail"]) == (400, f"the header {name} comes twice")
    accepts = (("accept", "a/b"), ("accept", "c/d"))
    assert client(plane, "POST", "/predict/late", {"rows": [ROW]}, more_headers=accepts).status == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
CELLS = st.fixed_dictionaries({"distance": JSON, "carrier": JSON | st.just("UA"), "stops": JSON})
BODIES = (
    st.binary(max_size=64)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.lists(CELLS | JSON, max_size=4).map(lambda rows: json.dumps({"rows": rows}).encode())
    | st.fixed_dictionaries(
        {}, optional={"inputs": JSON, "instances": JSON, "dataframe_split": JSON, "id": JSON}
    ).map(lambda value: json.dumps(value).encode())
    | st.lists(
        st.fixed_dictionaries({"value": JSON}, optional={"request_id": JSON, "row": JSON, "key": JSON}),
        max_size=3,
    ).map(lambda outcomes: json.dumps({"outcomes": outcomes}).encode())
    | st.lists(
        st.fixed_dictionaries({"name": JSON, "shape": JSON, "datatype": JSON, "data": JSON}), max_size=3
    ).map(lambda tensors: json.dumps({"inputs": tensors}).encode())
)
PATHS = ["/predict/late", "/outcomes/late", "/v2/models/late/infer", "/invocations"]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES, path=st.sampled_from(PATHS))
def test_no_body_makes_it_fail(plane, client, body, path):
    told = client(plane, "POST", path, body)
    assert told.status < 500, (path, body, told.body)
    assert told.status == 200 or told.headers["content-type"] == "application/problem+json"
