"""`POST /outcomes/{model}`: what turned out to be true is durable before it is accepted, or refused."""

import pytest


@pytest.fixture
def plane(shop):
    shop.plan(shop.bundle(key="flight"))
    return shop.plane()


def test_outcomes_by_request_and_by_key_are_kept(plane, client, shop):
    outcomes = [
        {"request_id": "r1", "value": True},
        {"request_id": "r1", "row": 1, "value": 0},
        {"key": 7, "value": False},
    ]
    told = client(plane, "POST", "/outcomes/late", {"outcomes": outcomes})
    assert (told.status, told.json) == (200, {"accepted": 3})
    at = "2013-01-01T00:00:00.000000Z"
    assert shop.stream("outcomes/late") == [
        {"id": "r1", "row": 0, "key": None, "truth": True, "at": at},
        {"id": "r1", "row": 1, "key": None, "truth": False, "at": at},
        {"id": None, "row": 0, "key": 7, "truth": False, "at": at},
    ]


@pytest.mark.parametrize(
    ("outcome", "rule"),
    [
        ({"request_id": "r1", "value": "late"}, "classes"),
        ({"request_id": "r1", "value": None}, "classes"),
        ({"request_id": "r1", "value": 2}, "classes"),
        ({"request_id": "r1", "value": [1]}, "classes"),
        ({"value": True}, "request_id or key"),
        ({"request_id": "r1", "key": "k", "value": True}, "request_id or key"),
        ({"request_id": "r1", "row": -1, "value": True}, "row"),
        ({"request_id": "r1"}, "shape"),
        ({"request_id": "r1", "value": True, "more": 1}, "shape"),
    ],
)
def test_an_outcome_that_does_not_fit_is_refused_and_nothing_is_kept(plane, client, shop, outcome, rule):
    good = {"request_id": "r0", "value": True}
    told = client(plane, "POST", "/outcomes/late", {"outcomes": [good, outcome]})
    assert (told.status, told.json["rule"]) == (422, rule)
    assert shop.stream("outcomes/late") == []


def test_the_refusal_names_the_classes(plane, client):
    told = client(plane, "POST", "/outcomes/late", {"outcomes": [{"key": 1, "value": "no"}]})
    assert "[false,true]" in told.json["detail"]


def test_a_key_needs_a_key_column(shop, client):
    shop.plan(shop.bundle())
    assert (
        client(shop.plane(), "POST", "/outcomes/late", {"outcomes": [{"key": 1, "value": True}]}).status
        == 422
    )


@pytest.mark.parametrize(("value", "status"), [(1.5, 200), (2, 200), (True, 422), ("1", 422), (None, 422)])
def test_a_regressions_outcome_is_a_number(shop, client, value, status):
    shop.plan(shop.bundle(task="regression"))
    told = client(shop.plane(), "POST", "/outcomes/late", {"outcomes": [{"request_id": "r", "value": value}]})
    assert told.status == status


def test_text_classes_are_text(shop, client):
    shop.plan(shop.bundle(classes=("0", "1")))
    plane = shop.plane()
    for value, status in (("1", 200), (1, 422), (True, 422)):
        told = client(plane, "POST", "/outcomes/late", {"outcomes": [{"request_id": "r", "value": value}]})
        assert told.status == status


def test_true_is_not_the_class_1_of_several(shop, client):
    shop.plan(shop.bundle(classes=(1, 2)))
    plane = shop.plane()
    for value, status in ((1, 200), (1.0, 200), (True, 422)):
        told = client(plane, "POST", "/outcomes/late", {"outcomes": [{"request_id": "r", "value": value}]})
        assert told.status == status


def test_no_outcomes_are_refused(plane, client):
    assert client(plane, "POST", "/outcomes/late", {"outcomes": []}).status == 422


def test_outcomes_that_cannot_be_written_are_not_accepted(plane, client, shop):
    shop.store.streams.close()
    assert client(plane, "POST", "/outcomes/late", {"outcomes": [{"key": 1, "value": True}]}).status == 503
