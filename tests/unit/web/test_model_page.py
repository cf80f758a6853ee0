"""The pages of registered models: the pipeline's and the clients', and which version was what and when."""

import re
from functools import partial
from typing import Any

import pytest
from starlette.testclient import TestClient

from parts.logged_runs import ADA, log_runs
from parts.page import HOME, read_page
from trimtab.testing.example_year import MODEL, example_year
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.testing.memory_store import memory_store
from trimtab.tracking.registry.registered_model import Stage
from trimtab.tracking.registry.rule import PROMPT_TAG
from trimtab.tracking.tracking import open_tracking
from trimtab.web.application import application

MARKUP = "<b>bold & more"


@pytest.fixture(scope="module")
def get() -> Any:
    """Asks for a page over the example's pipeline, and models that a client registered."""
    store = memory_store()
    example_year(store, days=120)
    tracking = open_tracking(store, MemoryRunIndex())
    run = log_runs(tracking)["deep"]
    tracking.files.put(run, "model/model.pkl", [b"weights"])
    models, versions = tracking.registry.models, tracking.registry.versions
    models.create("churn", by=ADA, description="Who leaves.", tags={"team": "growth"})
    for number in range(1, 5):
        versions.add("churn", f"runs:/{run}/model", by=ADA, run=run, description=f"try {number}")
    models.set_alias("churn", "champion", 1, by=ADA)
    models.set_alias("churn", "champion", 3, by=ADA)
    versions.place("churn", 2, Stage.PRODUCTION, by=ADA)
    versions.delete("churn", 4, by=ADA)
    models.create(MARKUP, by=ADA, description="<script>alert(1)</script>")
    models.create("greeting", by=ADA, tags={PROMPT_TAG: "true"})
    client = TestClient(
        application(store, tracking, project_name="flights"), base_url=HOME, raise_server_exceptions=False
    )

    return partial(read_page, client)


def rows(page: str, table: str) -> list[str]:
    """The words of each row of a table."""
    body = re.search(rf'<table class="{table}">.*?<tbody>(.*?)</tbody>', page, flags=re.S)
    assert body, f"no table {table}"
    return [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip()
        for row in re.findall(r"<tr>(.*?)</tr>", body[1], flags=re.S)
    ]


def test_the_list_shows_the_pipelines_models_and_the_clients_and_no_prompt(get: Any) -> None:
    page = get("/models")
    by_name = {row.split(" ")[0]: row for row in rows(page, "models")}
    assert "champion → means v3" in by_name["churn"]
    assert " stored " in by_name["churn"]
    assert "champion → means v2" in by_name[MODEL]
    assert " pipeline " in by_name[MODEL]
    assert "greeting" not in page


def test_of_a_model_its_versions_are_told_newest_first(get: Any) -> None:
    versions = rows(get("/models/churn"), "versions")
    assert [row.split(" ")[0] for row in versions] == ["v3", "v2", "v1"]
    assert "champion" in versions[0]
    assert "Production" in versions[1]
    assert "try 1" in versions[2]
    assert "not served until converted or trusted" in get("/models/churn")


def test_one_sees_which_version_was_in_production_and_who_put_it_there(get: Any) -> None:
    steps = rows(get("/models/churn"), "history")
    assert [step.split(" ", 2)[2] for step in steps] == [
        "v2 none Production ada",
        "champion v1 v3 ada",
        "champion none v1 ada",
    ]
    pipeline = [step.split(" ", 2)[2] for step in rows(get(f"/models/{MODEL}"), "history")]
    assert "champion v1 v2 example" in pipeline


def test_every_link_of_a_model_leads_somewhere(get: Any) -> None:
    for page in (get("/models"), get("/models/churn"), get(f"/models/{MODEL}")):
        links = set(re.findall(r'href="(/(?:id|runs|models)/[^"]+)"', page))
        assert len(links) >= 3
        for link in links:
            get(link)


def test_words_of_models_are_no_markup_and_a_name_of_any_kind_has_a_page(get: Any) -> None:
    page = get("/models")
    assert "<b>bold" not in page
    link = re.search(r'href="(/models/%3Cb[^"]+)"', page)
    assert link
    page = get(link[1])
    assert "<script>alert" not in page
    assert "&lt;b&gt;bold &amp; more" in page


def test_nobody_has_a_page_and_says_so(get: Any) -> None:
    assert "nobody" in get("/models/nobody", 404)


def test_an_empty_store_says_how_a_model_comes_here() -> None:
    store = memory_store()
    shown = application(store, open_tracking(store, MemoryRunIndex()), project_name="flights")
    answer = TestClient(shown, base_url=HOME).get("/models")
    assert answer.status_code == 200
    assert "No model is registered yet" in answer.text
    assert "register_model" in answer.text
