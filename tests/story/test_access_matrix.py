"""Every route that the control plane has, asked by everybody there is: who is let in, and who is not.

The routes are those of the real application; what they must ask for is written down here once more, by hand.
"""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from parts.asgi import Said, ask
from parts.page import shown
from trimtab.assembly.token import create_token, revoke_token
from trimtab.assembly.token_ring import TokenRing
from trimtab.atoms.action import Action, Closing
from trimtab.atoms.actor import Actor
from trimtab.atoms.content.change import Change
from trimtab.atoms.error import LawBroken
from trimtab.atoms.token import secret_digest
from trimtab.engine.store import Store
from trimtab.testing.example_year import MODEL, example_year
from trimtab.testing.manual_clock import ManualClock
from trimtab.testing.memory_store import memory_store
from trimtab.tracking.decision import decide_change
from trimtab.web.access.gate import Gate
from trimtab.web.access.table import Table
from trimtab.web.route import Route

ANN = Actor(by="person:ann")

#: What each role gives, by hand; `open` is for everybody.
GIVEN = {
    "viewer": {"read"},
    "runner": {"read", "log"},
    "releaser": {"read", "release"},
    "admin": {"read", "log", "release", "administer", "audit"},
    "predictor": {"predict"},
    "auditor": {"read", "audit"},
}

_FOREIGN = r"/(ajax-)?api/[23]\.0/mlflow"
#: By method and path, first match; a route that none of these knows must be put here by somebody who thought about it.
NEEDED = [
    ("open", r"(GET|POST) /(login|logout|healthz|version|health|static/.*)"),
    ("open", rf"GET {_FOREIGN}/server-info"),
    ("audit", r"GET /api/v1/(tokens|entries)"),
    ("administer", r"(POST|DELETE) /api/v1/tokens.*"),
    ("read", r"GET .*"),
    ("log", r"(POST|PATCH|PUT|DELETE) /api/v1/(experiments|runs)\b.*"),
    ("read", rf"POST {_FOREIGN}/(experiments/search(-datasets)?|runs/search|logged-models/search)"),
    ("read", rf"POST {_FOREIGN}/registered-models/get-latest-versions"),
    (
        "release",
        rf"(POST|DELETE) {_FOREIGN}/(registered-models/(rename|alias)|model-versions/transition-stage)",
    ),
    ("administer", rf"DELETE {_FOREIGN}/(registered-models|model-versions)/delete"),
    ("log", rf"(POST|PATCH|DELETE) {_FOREIGN}/(experiments|runs|logged-models)\b(?!/create-promptlab-run).*"),
    ("log", rf"(POST|PATCH|DELETE) {_FOREIGN}/(registered-models|model-versions)/.*"),
    ("log", r"(PUT|DELETE) /(ajax-)?api/2\.0/mlflow-artifacts/artifacts/.*"),
    # What is not spoken of the protocol: answered 501 to whoever may read.
    (
        "unspoken",
        rf"\w+ {_FOREIGN}/(artifacts/presigned|traces|workspaces|issues|label-schemas|review-queues).*",
    ),
    ("unspoken", rf"\w+ {_FOREIGN}/(datasets|scorers|gateway|prompt-optimization|webhooks|gateway-proxy).*"),
    ("unspoken", rf"\w+ {_FOREIGN}/(runs/create-promptlab-run|upload-artifact|unified-traces).*"),
    ("unspoken", r"\w+ /(ajax-)?api/2\.0/mlflow-artifacts/(mpu|presigned)/.*"),
    ("unspoken", r"POST /v1/traces"),
]


def needed(route: Route) -> str:
    """What a route must ask for."""
    said = f"{route.method} {route.path}"
    for permission, pattern in NEEDED:
        if re.fullmatch(pattern, said):
            return permission
    pytest.fail(f"nobody has said who may ask {said}: enter it in NEEDED")


@dataclass
class House:
    """The application that asks everybody for a token, and the tokens of everybody there is."""

    table: Table
    store: Store
    tokens: dict[str, str]
    #: One for all requests: to begin and end a loop takes longer than most of them.
    loop: asyncio.AbstractEventLoop

    def ask(
        self, method: str, path: bytes, headers: dict[str, str], body: bytes = b"", query: bytes = b""
    ) -> Said:
        return self.loop.run_until_complete(ask(self.table, method, path, headers, body, query))

    def headers(self, caller: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens[caller]}"} if caller in self.tokens else {}


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    clock = ManualClock()
    store = memory_store(clock)
    example_year(store, days=5)
    tokens = {"junk": "tt_admin_000000000000000000000000000000_000000", "not even a token": "letmein"}

    def give(name: str, role: str, project: str = "flights", hours: float = 1000) -> None:
        tokens[name] = create_token(
            store, name.replace(" ", "-"), [role], project=project, expires_in=timedelta(hours=hours), by=ANN
        )[0]

    give("expired", "admin", hours=1)
    clock.advance(3601)
    give("revoked", "admin")
    revoke_token(store, "revoked", project="flights", by=ANN)
    give("another project", "admin", project="ships")
    for role in GIVEN:
        give(role, role)
    with TokenRing(store) as ring:
        loop = asyncio.new_event_loop()
        yield House(shown(store, gate=Gate("flights", ring=ring)), store, tokens, loop)
        loop.close()


def asked(house: House, route: Route, caller: str) -> Said:
    path = re.sub(r"\{(\w+)(:path)?\}", "0", route.path).encode()
    body = b"{}" if route.body is not None else b""
    headers = {**house.headers(caller), "content-type": "application/json"}
    return house.ask(route.method, path, headers, body)


def test_every_route_declares_what_was_thought_of_it(house: House) -> None:
    wrong = []
    for route in house.table.routes:
        wanted = needed(route)
        declared = route.permission.value if route.permission else "nothing"
        if declared != ("read" if wanted == "unspoken" else wanted):
            wrong.append(f"{route.method} {route.path} asks for {declared}, not for {wanted}")
    assert not wrong, "\n".join(wrong)


NOBODY = ["no token", "junk", "not even a token", "expired", "revoked", "another project"]


@pytest.mark.parametrize("caller", [*NOBODY, *GIVEN])
def test_every_route_lets_in_whom_it_must_and_nobody_else(house: House, caller: str) -> None:
    before, wrong = house.store.ledger.head(), []
    for route in house.table.routes:
        permission = needed(route)
        answer = asked(house, route, caller)
        let_in = answer.status not in (401, 403)
        if permission == "open":
            fits = route.path == "/login" or let_in
        elif caller == "another project":
            fits = answer.status == 404
        elif caller in NOBODY:
            fits = answer.status == 401 and "www-authenticate" in answer.headers
        elif ("read" if permission == "unspoken" else permission) in GIVEN[caller]:
            fits = let_in and (answer.status < 500 or answer.status == 501)
        else:
            fits = answer.status == 403
        if not fits:
            wrong.append(f"{route.method} {route.path} answers {answer.status}: {answer.body[:120]!r}")
    assert not wrong, f"{len(wrong)} of {len(house.table.routes)}\n" + "\n".join(wrong)
    if caller in NOBODY:
        assert house.store.ledger.head() == before


def test_for_another_projects_token_nothing_is_anywhere(house: House) -> None:
    """Word for word what is said of a path that no route has."""
    for path in (b"/no-such-place", b"/api/2.0/mlflow/no-such-place"):
        answer = house.ask("GET", path, house.headers("viewer"))
        said = json.loads(answer.body)
        assert said.get("detail", said.get("message")) == f"nothing is at {path.decode()}"
        assert said.get("error_code", "ENDPOINT_NOT_FOUND") == "ENDPOINT_NOT_FOUND"
    for route in house.table.routes:
        if needed(route) != "open":
            path = re.sub(r"\{(\w+)(:path)?\}", "0", route.path)
            said = json.loads(asked(house, route, "another project").body)
            assert said.get("detail", said.get("message")) == f"nothing is at {path}"
            assert said.get("error_code", "ENDPOINT_NOT_FOUND") == "ENDPOINT_NOT_FOUND"


@pytest.mark.parametrize("roles", [("viewer", "predictor"), ("runner", "releaser"), ("runner", "auditor")])
def test_roles_add_up(house: House, roles: tuple[str, str]) -> None:
    name = "-".join(roles)
    house.tokens[name] = create_token(house.store, name, roles, project="flights", expires_in=None, by=ANN)[0]
    time.sleep(0.6)
    for route in house.table.routes:
        permission = needed(route)
        if permission in ("open", "unspoken"):
            continue
        allowed = any(permission in GIVEN[role] for role in roles)
        assert (asked(house, route, name).status not in (401, 403)) == allowed, (route.method, route.path)


def test_what_tokens_are_recognised_by_is_read_by_auditors_only(house: House) -> None:
    """Every route that reads, asked for every record of a token by its id, by everybody there is."""
    digests = [secret_digest(secret) for secret in house.tokens.values()]
    records = [entry.record for entry in house.store.ledger.entries()]
    acts = {each.id for each in records if isinstance(each, Action) and each.kind.startswith("token-")}
    closings = [each for each in records if isinstance(each, Closing) and each.action in acts]
    ids = sorted({*acts, *(made for each in closings for made in each.made)})
    assert len(ids) == 2 * len(acts) > 16
    readers = {
        caller: sum(digest in said for digest in digests for said in answers_about(house, ids, caller))
        for caller in [*NOBODY, *GIVEN]
    }
    assert readers.pop("auditor") == readers.pop("admin") > 0
    assert set(readers.values()) == {0}, readers


def answers_about(house: House, ids: list[str], caller: str) -> list[str]:
    said = []
    for route in house.table.routes:
        if route.method != "GET" or "/mlflow" in route.path or route.errors == "mlflow":
            continue
        for name in ids if "{" in route.path else ["0"]:
            path = re.sub(r"\{(\w+)(:path)?\}", name, route.path).encode()
            said.append(house.ask("GET", path, house.headers(caller)).body.decode())
    return said


def test_what_others_decided_and_made_is_read_by_whoever_reads(house: House) -> None:
    """The rule is about tokens: it hides no other content, and of tokens neither the decision nor its reason."""
    headers = house.headers("viewer")

    def asked(path: str, query: bytes = b"") -> Any:
        where = f"/api/v1/{path}".encode()
        return json.loads(house.ask("GET", where, headers, query=query).body)

    assert asked(f"records/{MODEL}@1")["content"]["manifest"]["model"] == MODEL
    *_, given = asked("actions", b"kind=token-create")["actions"]
    assert (given["subject"], given["by"], given["note"][:5]) == ("expired", "person:ann", "admin")
    shown = asked(f"records/{given['closing']['made'][0]}")
    assert (shown["content_left_out"], "content" in shown) == ("it needs the permission 'audit'", False)


def test_what_a_token_does_is_a_step_of_giving_it(house: House) -> None:
    before = house.store.ledger.head()[0]
    body = b'{"name": "by a runner"}'
    headers = {**house.headers("runner"), "content-type": "application/json"}
    answer = house.ask("POST", b"/api/v1/experiments", headers, body)
    assert answer.status in (200, 201), answer.body
    (action,) = [
        entry.record
        for entry in house.store.ledger.entries(after=before)
        if getattr(entry.record, "by", None) is not None
    ]
    given = house.store.ledger.find(action.parent)  # type: ignore[union-attr, arg-type]
    assert action.by == "token:runner"  # type: ignore[union-attr]
    assert (given.kind, given.subject) == ("token-create", "runner")  # type: ignore[union-attr]


def test_a_decision_of_a_token_without_its_giving_breaks_the_law(house: House) -> None:
    with pytest.raises(LawBroken):
        decide_change(
            house.store, "experiment", [Change(what="x", id="x", does="x")], by=Actor(by="token:runner")
        )
