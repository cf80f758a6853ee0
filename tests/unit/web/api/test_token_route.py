"""Tokens over the API: a token is answered once, and stands nowhere afterwards."""

import msgspec
import pytest

from parts.api import Api
from trimtab.atoms.action import Action
from trimtab.atoms.token import PATTERN, is_secret, secret_digest
from trimtab.views.access import Tokens
from trimtab.web.api.repeat import STREAM
from trimtab.web.api.view_answer import NewToken

AT = "/api/v1/tokens"
CI = {"name": "ci", "roles": ["runner", "viewer"]}
KEY = {"Idempotency-Key": '"one"'}


def digests(api: Api) -> list[str]:
    tokens = Tokens(api.store)
    tokens.refresh()
    return [token.digest for token in tokens.all()]


def test_a_token_is_given_listed_and_revoked(api: Api) -> None:
    answer = api.client.post(AT, json=CI)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made = msgspec.json.decode(answer.content, type=NewToken)
    assert is_secret(made.token)
    assert digests(api) == [secret_digest(made.token)]
    assert (made.name, made.roles, made.project, made.state) == (
        "ci",
        ["runner", "viewer"],
        "flights",
        "living",
    )
    given = api.store.ledger.find(made.action)
    assert isinstance(given, Action)
    assert (given.kind, given.by) == ("token-create", "person:ada")
    listed = api.client.get(AT)
    assert [each["state"] for each in listed.json()["tokens"]] == ["living"]
    assert not PATTERN.search(listed.text)
    gone = api.client.delete(f"{AT}/ci").json()
    assert (gone["state"], bool(gone["revoked_at"])) == ("revoked", True)
    assert api.client.delete(f"{AT}/ci").json() == gone
    assert api.client.delete(f"{AT}/nobody").status_code == 404


def test_a_repeated_call_does_not_show_the_token_again(api: Api) -> None:
    first = api.client.post(AT, json=CI, headers=KEY)
    secret = first.json()["token"]
    for server in (api, api.restarted()):
        again = server.client.post(AT, json=CI, headers=KEY)
        assert (again.status_code, "given already" in again.json()["detail"]) == (409, True)
        assert not PATTERN.search(again.text)
    assert api.client.post(AT, json={**CI, "name": "cd"}, headers=KEY).status_code == 422
    assert api.client.post(AT, json=CI).status_code == 409
    assert len(digests(api)) == 1
    kept, _ = api.store.streams.read(STREAM)
    assert len(kept) == 1, "the key was not remembered: this test proves nothing"
    entries = msgspec.json.encode([entry.record for entry in api.store.ledger.entries()])
    blobs = [api.store.blobs.get(each.key) for each in api.store.blobs.stored()]
    for written in (*kept, entries, *blobs):
        assert secret.encode() not in written


def test_a_call_that_died_before_its_key_was_kept_gives_no_second_token(api: Api) -> None:
    api.client.post(AT, json=CI, headers=KEY)
    _, upto = api.store.streams.read(STREAM)
    api.store.streams.forget(STREAM, upto)
    answer = api.restarted().client.post(AT, json=CI, headers=KEY)
    assert (answer.status_code, len(digests(api))) == (409, 1)
    assert "revoke it first" in answer.json()["detail"]


def test_revoking_again_under_a_key_is_answered_as_before(api: Api) -> None:
    api.client.post(AT, json=CI)
    first = api.client.delete(f"{AT}/ci", headers=KEY)
    again = api.client.delete(f"{AT}/ci", headers=KEY)
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "ci"},
        {"name": "ci", "roles": []},
        {"name": "ci", "roles": ["king"]},
        {"name": "a b", "roles": ["viewer"]},
        {"name": "ci", "roles": ["viewer"], "expires_in_s": 0},
        {"name": "ci", "roles": ["viewer"], "expires_in_s": 1e30},
        {"name": "ci", "roles": ["viewer"], "project": "ships"},
    ],
)
def test_what_is_no_token_is_refused(api: Api, body: dict[str, object]) -> None:
    assert api.client.post(AT, json=body).status_code == 400
    assert digests(api) == []


def test_a_token_that_is_given_as_a_name_is_written_nowhere(api: Api) -> None:
    secret = api.client.post(AT, json=CI).json()["token"]
    before = api.store.ledger.head()
    answer = api.client.post(AT, json={**CI, "name": secret})
    assert (answer.status_code, secret in answer.text) == (400, False)
    assert api.store.ledger.head() == before


def test_a_token_may_live_for_ever_and_lives_90_days_else(api: Api) -> None:
    assert api.client.post(AT, json={**CI, "expires_in_s": None}).json()["expires_at"] == ""
    made = api.client.post(AT, json={**CI, "name": "cd"}).json()
    assert made["given_at"] < made["expires_at"]
