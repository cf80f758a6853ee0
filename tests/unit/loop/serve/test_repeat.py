"""A call with an idempotency key is answered once, and its effect is recorded once."""

import asyncio
import hashlib

import pytest

from trimtab.loop.monitor.record import OutcomeBook, read_predictions
from trimtab.loop.serve.repeat import Repeats

ROW = {"distance": 12.5, "carrier": "UA", "stops": 2}
KEY = {"idempotency-key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}


@pytest.fixture
def plane(shop):
    shop.plan(shop.bundle(key="flight"))
    return shop.plane()


def test_a_repetition_gets_the_same_body_and_is_logged_once(plane, client, shop):
    first = client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers=KEY)
    again = client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers=KEY | {"x-request-id": "another"})
    assert (first.status, again.status) == (200, 200)
    assert again.body == first.body
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["x-request-id"] == first.headers["x-request-id"] == first.json["request_id"]
    assert [record["id"] for record in shop.stream("predictions/late")] == [first.json["request_id"]]


def test_the_key_gives_the_request_id_in_every_process(shop, client):
    shop.plan(shop.bundle())
    told = [client(shop.plane(), "POST", "/predict/late", {"rows": [ROW]}, headers=KEY) for _ in range(2)]
    expected = hashlib.sha256(f"/predict/late\0{KEY['idempotency-key']}".encode()).hexdigest()[:32]
    assert [each.json["request_id"] for each in told] == [expected, expected]
    records = shop.store.streams.read("predictions/late")[0]
    assert len(records) == 2, "the second worker did not log"
    assert len(read_predictions(records)) == 1


def test_a_request_that_another_role_answers_the_second_time_counts_once(shop, client):
    champion = shop.bundle()
    shop.plan(champion)
    client(shop.plane(), "POST", "/predict/late", {"rows": [ROW]}, headers=KEY)
    challenger = shop.bundle({"shift": 1.0})
    shop.plan(champion, challenger=challenger, challenger_version=2, share=1.0, stage="canary")
    client(shop.plane(), "POST", "/predict/late", {"rows": [ROW]}, headers=KEY)
    assert [record["role"] for record in shop.stream("predictions/late")] == ["champion", "canary"]
    (counted,) = read_predictions(shop.store.streams.read("predictions/late")[0])
    assert counted.role == "champion"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/predict/late", {"rows": [ROW | {"stops": 3}]}),
        ("/predict/late", {"rows": [ROW], "request_id": "r1"}),
    ],
)
def test_another_body_under_the_key_is_refused(plane, client, shop, path, body):
    client(plane, "POST", path, {"rows": [ROW]}, headers=KEY)
    told = client(plane, "POST", path, body, headers=KEY)
    assert (told.status, told.headers["content-type"]) == (422, "application/problem+json")
    assert told.json["rule"] == "idempotency key"
    assert len(shop.stream("predictions/late")) == 1


def test_a_key_belongs_to_one_path(plane, client, shop):
    client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers=KEY)
    told = client(plane, "POST", "/outcomes/late", {"outcomes": [{"key": 1, "value": True}]}, headers=KEY)
    assert (told.status, told.json) == (200, {"accepted": 1})


@pytest.mark.parametrize("key", ["", " ", "x" * 129, "ä", "a\tb", '"', '"' + "x" * 129 + '"', '""'])
def test_what_is_no_key_is_refused_with_the_rule(plane, client, shop, key):
    told = client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers={"idempotency-key": key})
    if key == '"':  # one printable character, though a strange one
        assert told.status == 200
        return
    assert (told.status, told.json["rule"]) == (400, "idempotency key")
    assert "1 to 128 printable ASCII" in told.json["detail"]
    assert shop.stream("predictions/late") == []


def test_with_and_without_quotation_marks_it_is_one_key(plane, client):
    given = ['"a\\"b"', 'a"b', '"a\\"b"']
    told = [
        client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers={"idempotency-key": key})
        for key in given
    ]
    assert len({each.body for each in told}) == 1


def test_what_was_refused_is_tried_again(plane, client):
    body = {"rows": [ROW | {"carrier": 7}]}
    assert client(plane, "POST", "/predict/late", body, headers=KEY).status == 422
    assert client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers=KEY).status == 200


def test_after_a_failure_the_answer_counts(shop, client):
    shop.plan(shop.bundle({"raise": "boom", "good_calls": 1}))
    plane = shop.plane()
    assert client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers=KEY).status == 503
    shop.plan(shop.bundle(), version=2)
    plane = shop.plane()
    assert client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers=KEY).status == 200
    counted = read_predictions(shop.store.streams.read("predictions/late")[0])
    assert [(each.version, each.error is None) for each in counted] == [(1, False), (2, True)]


def test_two_at_once_are_one(plane, exchange, shop):
    async def both():
        calls = [exchange(plane, "POST", "/predict/late", {"rows": [ROW]}, headers=KEY) for _ in range(8)]
        told = await asyncio.gather(*calls)
        await plane.settle()
        return told

    told = asyncio.run(both())
    assert {each.status for each in told} == {200}
    assert len({each.body for each in told}) == 1
    assert len(shop.stream("predictions/late")) == 1


def test_outcomes_come_once_and_a_late_repetition_corrects_nothing(plane, shop, client):
    first = {"outcomes": [{"request_id": "r1", "value": False}, {"request_id": "r2", "value": True}]}
    assert client(plane, "POST", "/outcomes/late", first, headers=KEY).json == {"accepted": 2}
    correction = {"outcomes": [{"request_id": "r1", "value": True}]}
    client(plane, "POST", "/outcomes/late", correction, headers={"idempotency-key": "2"})
    another_worker = shop.plane()
    assert client(another_worker, "POST", "/outcomes/late", first, headers=KEY).json == {"accepted": 2}
    assert client(another_worker, "POST", "/outcomes/late", first, headers=KEY).json == {"accepted": 2}
    records = shop.store.streams.read("outcomes/late")[0]
    assert len(records) == 5, "the other worker did not log"
    book = OutcomeBook(records)
    assert len(book) == 3
    assert book.truths(["r1", "r2"], [0, 0], None) == ["true", "true"]


def test_the_memory_is_bounded_by_number_and_by_size(plane, client, shop):
    plane._repeats = Repeats(most=3)
    for number in range(5):
        client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers={"idempotency-key": str(number)})
    assert [key for _, key in plane._repeats._calls] == ["2", "3", "4"]
    size = plane._repeats._bytes
    plane._repeats = Repeats(most_bytes=size)
    for number in range(20):
        client(plane, "POST", "/predict/late", {"rows": [ROW]}, headers={"idempotency-key": str(number)})
        assert plane._repeats._bytes <= size
    assert 1 <= len(plane._repeats._calls) <= 4


def test_a_read_with_a_key_is_a_read(plane, client):
    assert client(plane, "GET", "/ping", headers={"idempotency-key": ""}).status == 200
