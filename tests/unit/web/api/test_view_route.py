"""The views over the API: the accounts as they are, strict shapes, and pages that make up the whole."""

from typing import Any

import msgspec
import pytest

from parts.api import Api, served
from trimtab.assembly.model_account import every_model_account
from trimtab.assembly.token import create_token
from trimtab.atoms.actor import Actor
from trimtab.testing.example_year import MODEL, example_year
from trimtab.testing.memory_store import memory_store
from trimtab.testing.storyteller import Storyteller
from trimtab.views.account import (
    lineage_account,
    record_account,
    runs_account,
    status_account,
)
from trimtab.views.memory import Memory
from trimtab.web.api import record_route
from trimtab.web.api.view_answer import (
    LineageAnswer,
    Models,
    RecordAnswer,
    Status,
    TrainingRuns,
)


def pages(api: Api, path: str, name: str, **asked: Any) -> list[Any]:
    """Every item of a list, page by page."""
    found: list[Any] = []
    after = ""
    while True:
        answer = api.client.get(f"/api/v1{path}", params={**asked, "after": after})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page[name]) <= asked.get("limit", 100)
        found += page[name]
        after = page["after"]
        if not after:
            return found


@pytest.fixture(scope="session")
def memory(year: Api) -> Memory:
    memory = Memory(year.store)
    memory.refresh()
    return memory


def test_accounts_are_the_ones_that_commands_print(year: Api, memory: Memory) -> None:
    bundle = memory.releases.versions(MODEL)[0].bundle
    for path, account, shape in (
        ("/status", status_account(memory), Status),
        ("/models", every_model_account(memory, year.tracking.registry.models), Models),
        ("/training", runs_account(memory), TrainingRuns),
        (f"/training?model={MODEL}", runs_account(memory, MODEL), TrainingRuns),
        (f"/lineage/{MODEL}@2", lineage_account(memory, f"{MODEL}@2"), LineageAnswer),
        ("/lineage/flights/2013-02", lineage_account(memory, "flights/2013-02"), LineageAnswer),
        (f"/records/{MODEL}@1", record_account(memory, bundle), RecordAnswer),
        (f"/artifacts/{bundle}", record_account(memory, bundle), RecordAnswer),
    ):
        answer = year.client.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        assert answer.json() == msgspec.json.decode(msgspec.json.encode(account)), path
        msgspec.convert(account, shape)


def test_a_model_is_shown_by_itself_and_its_lists_in_pages(year: Api) -> None:
    whole = year.client.get("/api/v1/models").json()["models"][MODEL]
    assert year.client.get(f"/api/v1/models/{MODEL}").json() == whole
    assert pages(year, f"/models/{MODEL}/versions", "versions", limit=2) == whole["versions"]
    assert pages(year, f"/models/{MODEL}/releases", "releases", limit=3) == whole["releases"]
    assert year.client.get("/api/v1/models/nobody").status_code == 404


@pytest.mark.parametrize(
    ("path", "name"), [("/checks", "checks"), ("/actions", "actions"), ("/incidents", "incidents")]
)
def test_pages_newest_first_make_up_the_whole(year: Api, path: str, name: str) -> None:
    whole = pages(year, path, name, limit=1000)
    assert len(whole) >= 3
    assert pages(year, path, name, limit=2 if len(whole) < 20 else 7) == whole


def test_pages_of_the_ledger_make_up_the_whole(year: Api) -> None:
    whole = pages(year, "/entries", "entries", limit=1000)
    assert [each["seq"] for each in whole] == list(range(1, year.store.ledger.head()[0] + 1))
    artifacts = [each["record"] for each in whole if each["sort"] == "artifact"]
    assert pages(year, "/artifacts", "artifacts", limit=9) == artifacts
    models = pages(year, "/artifacts", "artifacts", limit=2, kind="model")
    assert models == [each for each in artifacts if each["kind"] == "model"]
    assert models


def test_a_page_that_looked_far_enough_goes_on_at_the_next(
    year: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pages(year, "/artifacts", "artifacts", kind="model")
    monkeypatch.setattr(record_route, "_MOST_READ", 7)
    first = year.client.get("/api/v1/artifacts?kind=model").json()
    assert (first["artifacts"], bool(first["after"])) == ([], True)
    assert pages(year, "/artifacts", "artifacts", kind="model") == whole


def test_checks_and_actions_are_filtered(year: Api) -> None:
    failed = pages(year, "/checks", "checks", verdict="FAIL")
    assert failed
    assert {check["verdict"] for check in failed} == {"FAIL"}
    rule = failed[0]["rule"]
    assert pages(year, "/checks", "checks", rule=rule.partition("@")[0], verdict="FAIL")
    subject = failed[0]["subjects"]["candidate"]
    assert failed[0] in pages(year, "/checks", "checks", subject=subject)
    promoted = pages(year, "/actions", "actions", kind="promote", stage="release")
    assert promoted
    assert {action["kind"] for action in promoted} == {"promote"}
    assert all(action["closing"]["outcome"] == "done" for action in promoted)
    by = promoted[0]["by"]
    assert pages(year, "/actions", "actions", by=by, kind="promote", limit=1)
    assert pages(year, "/actions", "actions", by="person:nobody") == []


def test_nothing_comes_twice_while_the_ledger_grows() -> None:
    store = memory_store()
    example_year(store, days=20)
    api = served(store)
    teller = Storyteller(store, store.now())
    before = {action["id"] for action in pages(api, "/actions", "actions", limit=1000)}
    seen: list[str] = []
    after = ""
    while True:
        page = api.client.get("/api/v1/actions", params={"limit": 9, "after": after}).json()
        seen += [action["id"] for action in page["actions"]]
        teller.tell("trigger", "retrain", MODEL, note="meanwhile")
        after = page["after"]
        if not after:
            break
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


@pytest.mark.parametrize(
    "path", ["/checks", "/actions", "/artifacts", "/entries", "/incidents", f"/models/{MODEL}/versions"]
)
@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "after=x", "after=pz", "after=p", "color=red", "limit=1&limit=2"],
)
def test_a_question_that_is_none_is_refused(year: Api, path: str, query: str) -> None:
    answer = year.client.get(f"/api/v1{path}?{query}")
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_what_means_nothing_is_not_found(year: Api) -> None:
    for path in ("/lineage/nobody", "/records/nobody", "/artifacts/abcdef", "/records/ffffffffffff"):
        answer = year.client.get(f"/api/v1{path}")
        assert answer.status_code == 404, path
        assert answer.json()["detail"]


def test_tokens_are_listed_without_what_lets_in(year: Api) -> None:
    assert year.client.get("/api/v1/tokens").json() == {"tokens": []}


def test_another_projects_tokens_are_not_shown(api: Api) -> None:
    for name, project in (("ci", "flights"), ("theirs", "ships")):
        create_token(api.store, name, ["runner"], project=project, expires_in=None, by=Actor(by="person:ada"))
    listed = api.client.get("/api/v1/tokens").json()["tokens"]
    assert [(each["name"], each["project"]) for each in listed] == [("ci", "flights")]


def test_a_record_whose_content_is_lost_is_the_stores_failure(api: Api) -> None:
    example_year(api.store, days=20)
    artifact = api.client.get("/api/v1/artifacts?kind=schema").json()["artifacts"][0]
    assert api.client.get(f"/api/v1/artifacts/{artifact['id']}").status_code == 200
    assert api.store.blobs.discard(artifact["content"], 0)
    for path in (f"/artifacts/{artifact['id']}", f"/records/{artifact['id']}"):
        answer = api.client.get(f"/api/v1{path}")
        assert answer.status_code == 503, answer.text
        assert "trimtab fsck" in answer.json()["detail"]
