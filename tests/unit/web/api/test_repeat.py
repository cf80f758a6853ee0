"""Idempotency keys: a call is carried out once, whoever sends it again and whenever."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from parts.api import Api, served
from trimtab.atoms.actor import Actor
from trimtab.atoms.permission import Permission
from trimtab.atoms.run_query import Query
from trimtab.web.api.repeat import STREAM, Repeats
from trimtab.web.route import Call, Refused

KEY = {"Idempotency-Key": '"one"'}
RUN = {"experiment": "flights", "tags": {"team": "delays"}}


def runs(api: Api) -> int:
    return api.tracking.runs.count(Query())


def test_the_same_call_again_begins_no_second_run(api: Api) -> None:
    first = api.client.post("/api/v1/runs", json=RUN, headers=KEY)
    again = api.client.post("/api/v1/runs", json=RUN, headers=KEY)
    assert (again.status_code, again.content) == (200, first.content)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert runs(api) == 1


def test_the_answer_is_the_same_after_a_restart_and_after_the_run_went_on(api: Api) -> None:
    first = api.client.post("/api/v1/runs", json=RUN, headers=KEY)
    api.client.post(f"/api/v1/runs/{first.json()['id']}/end", json={"status": "FAILED"})
    later = api.restarted()
    assert later.client.post("/api/v1/runs", json=RUN, headers=KEY).content == first.content
    assert runs(later) == 1


def test_a_death_between_the_deed_and_its_answer_leaves_one_run(api: Api) -> None:
    first = api.client.post("/api/v1/runs", json=RUN, headers=KEY).json()
    _, upto = api.store.streams.read(STREAM)
    api.store.streams.forget(STREAM, upto)
    assert api.store.streams.read(STREAM)[0] == [], "the answer is still there: this test proves nothing"
    later = api.restarted()
    again = later.client.post("/api/v1/runs", json=RUN, headers=KEY)
    assert "idempotent-replayed" not in again.headers
    assert again.json()["id"] == first["id"]
    assert runs(later) == 1


def test_a_death_after_an_experiment_was_made_gives_that_experiment(api: Api) -> None:
    body = {"name": "flights"}
    first = api.client.post("/api/v1/experiments", json=body, headers=KEY).json()
    _, upto = api.store.streams.read(STREAM)
    api.store.streams.forget(STREAM, upto)
    later = api.restarted()
    assert later.client.post("/api/v1/experiments", json=body, headers=KEY).json() == first
    assert (
        later.client.post("/api/v1/experiments", json=body, headers={"Idempotency-Key": "two"}).status_code
        == 409
    )
    assert later.client.post("/api/v1/experiments", json=body).status_code == 409


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/runs", {"experiment": "other"}),
        ("POST", "/experiments", {"name": "flights"}),
        ("POST", "/runs/{run}/end", {}),
        ("POST", "/runs/{run}/resume", None),
        ("POST", "/runs/{run}/restore", None),
        ("DELETE", "/runs/{run}", None),
        ("POST", "/runs/{run}/log", {"tags": {"a": "b"}}),
        ("DELETE", "/runs/{run}/files/x", None),
        ("PATCH", "/experiments/0", {"tags": {"a": "b"}}),
    ],
)
def test_a_key_belongs_to_one_request(api: Api, method: str, path: str, body: Any) -> None:
    run = api.client.post("/api/v1/runs", json=RUN, headers=KEY).json()["id"]
    before = api.client.get(f"/api/v1/runs/{run}").json()
    answer = api.client.request(method, f"/api/v1{path.format(run=run)}", json=body, headers=KEY)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json()["detail"]
    assert api.client.get(f"/api/v1/runs/{run}").json() == before
    assert runs(api) == 1


def test_a_key_is_of_who_asks(api: Api) -> None:
    api.client.post("/api/v1/runs", json=RUN, headers=KEY)
    other = served(api.store, by="person:grace")
    assert other.client.post("/api/v1/runs", json=RUN, headers=KEY).status_code == 200
    assert runs(other) == 2


def test_a_refusal_is_not_remembered(api: Api) -> None:
    at = "/api/v1/runs/later/end"
    assert api.client.post(at, json={}, headers=KEY).status_code == 404
    api.client.post("/api/v1/runs", json={"id": "later"})
    assert api.client.post(at, json={}, headers=KEY).json()["status"] == "FINISHED"


def test_the_same_file_may_be_put_again_and_another_not(api: Api) -> None:
    run = api.client.post("/api/v1/runs", json=RUN).json()["id"]
    at = f"/api/v1/runs/{run}/files/model.bin"
    first = api.client.put(at, content=b"one", headers=KEY)
    again = api.client.put(at, content=b"one", headers=KEY)
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    assert api.client.put(at, content=b"two", headers=KEY).status_code == 422
    assert api.client.get(at).content == b"one"


def test_of_many_that_come_at_once_one_is_carried_out(api: Api, tracking_call: Any) -> None:
    repeats = Repeats(api.store)
    done: list[str] = []
    both = threading.Barrier(5)
    answers: list[bytes] = []

    def does(seed: str) -> dict[str, str]:
        done.append(seed)
        return {"id": seed}

    def ask() -> None:
        both.wait()
        answers.append(repeats.answer(tracking_call, "open run", does).body)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert len(done) == 1
    assert len(answers) == 5
    assert len(set(answers)) == 1


def test_what_was_forgotten_in_memory_is_the_deeds_own_to_recognise(api: Api, tracking_call: Any) -> None:
    repeats = Repeats(api.store, most=1)
    seeds: list[str] = []
    repeats.answer(tracking_call, "open run", seeds.append)
    other = replace(tracking_call, idempotency_key="two")
    repeats.answer(other, "open run", seeds.append)
    repeats.answer(tracking_call, "open run", seeds.append)
    assert seeds[0] == seeds[2] != seeds[1]


def test_of_two_requests_under_a_key_that_come_at_once_one_is_carried_out(
    api: Api, tracking_call: Call
) -> None:
    """Also where the deed is the same however often it is done, and as long as it is being done."""
    repeats = Repeats(api.store)
    first, again, other = (replace(tracking_call) for _ in range(3))
    assert repeats.known(first, "put file", said="one") is None
    assert repeats.known(again, "put file", said="one") is None
    with pytest.raises(Refused, match="with another request"):
        repeats.known(other, "put file", said="two")
    del first, again  # both failed: their key is free
    assert repeats.known(other, "put file", said="two") is None
    repeats.note(other, "put file", {"path": "a"}, said="two")
    assert repeats.known(replace(tracking_call), "put file", said="two") is not None
    with pytest.raises(Refused, match="with another request"):
        repeats.known(replace(tracking_call), "put file", said="one")


@pytest.fixture
def tracking_call() -> Call:
    """A call with a key, as an endpoint gets it."""

    async def nothing() -> Any:
        yield b""

    return Call(
        method="POST",
        path={},
        query=None,
        body=None,
        actor=Actor(by="person:ada"),
        permissions=frozenset(Permission),
        request_id="1",
        headers={},
        stream=nothing,
        idempotency_key="one",
    )
