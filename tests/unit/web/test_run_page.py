"""The pages of runs: everything is there, words are words and no markup, and a page of many runs is quick."""

import html
import re
from functools import partial
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from parts.logged_runs import ADA, MARKUP, log_runs
from parts.page import HOME, read_page
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.assembly.project import open_project
from trimtab.assembly.tracking_place import open_project_tracking
from trimtab.atoms.metric_point import Points, encode_points
from trimtab.atoms.run import NAME_TAG, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Query
from trimtab.testing.example_year import MODEL, example_year
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.testing.memory_store import memory_store
from trimtab.tracking.tracking import open_tracking
from trimtab.web.application import application


@pytest.fixture(scope="module")
def pages() -> Any:
    """The pages over runs of both sorts: `get` asks for one, `ids` are those of people's runs by name."""
    store = memory_store()
    example_year(store, days=40)
    tracking = open_tracking(store, MemoryRunIndex())
    ids = log_runs(tracking)
    client = TestClient(
        application(store, tracking, project_name="flights"), base_url=HOME, raise_server_exceptions=False
    )

    return SimpleNamespace(get=partial(read_page, client), ids=ids, client=client, tracking=tracking)


def rows(page: str) -> list[str]:
    """Names of the runs that a list shows, in order."""
    return [
        html.unescape(name) for name in re.findall(r'class="who">.*?<a href="/runs/[^"]+">(.*?)</a>', page)
    ]


def link(page: str, title: str) -> str:
    """Where a click on a column's head leads."""
    found = re.search(rf'<a href="([^"]+)" title="order by {re.escape(title)}"', page)
    assert found, f"no column {title}"
    return html.unescape(found[1])


def test_the_list_shows_the_engines_runs_and_peoples(pages: Any) -> None:
    page = pages.get("/runs")
    shown = rows(page)
    assert {"shallow", "deep", "broken", "below", MARKUP} <= set(shown)
    assert "gone" not in shown
    assert "<span>churn</span>" in page
    assert f"<span>{MODEL}</span>" in page
    assert "a NaN in column [tenure]" in page
    assert rows(pages.get("/runs?deleted=deleted")) == ["gone"]


def test_words_of_runs_are_no_markup(pages: Any) -> None:
    for path in (
        "/runs",
        f"/runs/{pages.ids[MARKUP]}",
        f"/compare?run={pages.ids[MARKUP]}&run={pages.ids['deep']}",
    ):
        page = pages.get(path)
        assert "<b>bold</b>" not in page
        assert "&lt;b&gt;bold&lt;/b&gt; &amp; [red]co[/]" in page
        assert "</table>[b]" not in page


def test_no_page_holds_inline_code_or_styles(pages: Any) -> None:
    pair = f"/compare?run={pages.ids['shallow']}&run={pages.ids['deep']}"
    for path in ("/runs", f"/runs/{pages.ids['deep']}", pair):
        page = pages.get(path)
        assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:|<style", page), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", page), path


def test_an_experiment_is_chosen_by_a_link(pages: Any) -> None:
    page = pages.get("/runs")
    chosen = html.unescape(re.search(r'<a href="([^"]+)" ><span>churn</span>', page)[1])  # type: ignore[index]
    assert set(rows(pages.get(chosen))) == {"shallow", "deep", "broken", "below"}
    assert 'aria-current="page"><span>churn</span><span class="number">4</span>' in pages.get(chosen)


def test_the_list_is_filtered_and_says_what_it_cannot_read(pages: Any) -> None:
    where = "metrics.roc_auc > 0.6 and params.depth = '3'"
    page = pages.get(f"/runs?where={quote(where)}")
    assert rows(page) == ["shallow"]
    assert f'value="{html.escape(where).replace("&#x27;", "&#39;")}"' in page
    page = pages.get(f"/runs?where={quote('metrics.loss <')}")
    assert 'role="alert"' in page
    assert "expected a number" in page
    assert "deep" in rows(page), "all runs are shown under it"
    assert "No run is as you asked for" in pages.get("/runs?where=" + quote("params.depth = '77'"))


def test_a_click_on_a_head_orders_and_another_one_turns_the_order(pages: Any) -> None:
    first = pages.get(link(pages.get("/runs"), "roc_auc"))
    scored = [name for name in rows(first) if name in ("shallow", "deep")]
    assert scored == ["deep", "shallow"], "of an AUC the largest comes first"
    assert 'aria-sort="descending"' in first
    second = pages.get(link(first, "roc_auc"))
    assert [name for name in rows(second) if name in ("shallow", "deep")] == ["shallow", "deep"]
    assert 'aria-sort="ascending"' in second
    third = pages.get(link(second, "roc_auc"))
    assert [name for name in rows(third) if name in ("shallow", "deep")] == ["deep", "shallow"]
    lost = pages.get(link(pages.get("/runs"), "val/loss"))
    assert [name for name in rows(lost) if name in ("shallow", "deep")] == ["deep", "shallow"], (
        "of a loss the least"
    )


def test_the_best_of_a_page_is_marked_where_its_name_says_which_way_is_better(pages: Any) -> None:
    page = pages.get("/runs?experiment=" + pages.tracking.experiments.named("churn").id)
    best = re.findall(
        r'<td class="metric right number best" ><span class="unseen">best: </span>([^<]+)</td>', page
    )
    assert sorted(best) == ["0.4", "0.75"]


def test_all_about_one_run(pages: Any) -> None:
    run = pages.ids["deep"]
    page = pages.get(f"/runs/{run}")
    told = (
        "deep",
        "finished",
        "Deeper trees.",
        "train.py",
        "3fa9c1d2e4b5",
        "customers",
        "9f1c2ab4",
        "training",
        "growth",
    )
    assert [word for word in told if word not in page] == []
    assert f'<a href="/api/v1/runs/{run}/files/model/weights%20%26%20more.bin" download>' in page
    assert f'<a href="/id/{run}">' in page
    assert pages.client.get(f"/id/{run}").status_code == 200
    assert pages.client.get(f"/api/v1/runs/{run}/files/notes.txt").content == b"what was tried"
    charts = re.findall(r'<span class="what">([^<]+)</span>', page)
    assert charts == ["epochs", "val/loss"], "a metric of one point has no chart"
    assert "data-running" not in page
    assert "data-running" in pages.get(f"/runs/{pages.ids[MARKUP]}")


def test_long_words_are_cut_where_they_are_listed_and_whole_where_they_are_told() -> None:
    tracking = open_tracking(memory_store(), MemoryRunIndex())
    name, value, note = "N" * 250, "v" * 3000, "ValueError: " + "x" * 1500
    for each in ("one", "two"):
        tracking.runs.open(
            by=ADA, run=each, tags={NAME_TAG: name}, parameters={"words": value if each == "one" else "few"}
        )
        tracking.runs.close(each, RunStatus.FAILED, by=ADA, note=note)
    client = TestClient(application(tracking.store, tracking, project_name="flights"), base_url=HOME)
    listed = client.get("/runs").text
    assert f'<span title="{name}">{"N" * 57}...</span>' in listed
    assert f">ValueError: {'x' * 145}...<" in listed
    compared = client.get("/compare?run=one&run=two").text
    assert f'<span title="{value}">{"v" * 197}...</span>' in compared
    told = client.get("/runs/one").text
    assert f"<summary>{'v' * 160}… <span" in told
    assert f"</summary>{value}</details>" in told
    assert f"</summary>{note}</details>" in told
    assert name in told


def test_a_run_whose_process_is_gone_is_told_so(pages: Any) -> None:
    assert "its process is gone" in pages.get("/runs")
    page = pages.get(f"/runs/{pages.ids[MARKUP]}")
    assert "its process is gone" in page
    assert "until its last point" in page
    assert "its process is gone" not in pages.get(f"/runs/{pages.ids['deep']}")


def test_a_run_leads_to_those_below_it_and_back(pages: Any) -> None:
    assert f'<a href="/runs/{pages.ids["below"]}">below</a>' in pages.get(f"/runs/{pages.ids['shallow']}")
    assert f'<a href="/runs/{pages.ids["shallow"]}">shallow</a>' in pages.get(f"/runs/{pages.ids['below']}")


def test_an_engines_run_has_a_page_too(pages: Any) -> None:
    engines = [
        run
        for run in pages.client.get("/api/v1/runs?limit=100").json()["runs"]
        if run["stage"] == "train" and run["metrics"]
    ]
    page = pages.get(f"/runs/{engines[0]['id']}")
    assert "stage train" in page
    assert "log_loss" in page


def test_a_gap_parts_the_line_and_a_log_scale_is_a_link_away(pages: Any) -> None:
    def lines(page: str) -> int:
        card = next(card for card in page.split('<figure class="card">') if '"what">val/loss<' in card)
        return card.count('class="value"')

    assert lines(pages.get(f"/runs/{pages.ids['shallow']}")) == 2
    assert lines(pages.get(f"/runs/{pages.ids['deep']}")) == 1
    page = pages.get(f"/runs/{pages.ids['deep']}")
    for word, changed in (("log", "scale=log"), ("by time", "x=time")):
        target = re.search(rf'<a href="([^"]+)" >{word}</a>', page)
        assert target
        assert changed in target[1]
        assert pages.get(html.unescape(target[1])) != page


def test_runs_side_by_side(pages: Any) -> None:
    pair = f"/compare?run={pages.ids['shallow']}&run={pages.ids['deep']}"
    page = pages.get(pair)
    loss = re.search(r"<tr><th[^>]*>val/loss.*?</tr>", page)
    assert loss
    assert (
        'class="number best"><span class="unseen">best: </span>0.4 <span class="delta">-0.05</span>'
        in loss[0]
    )
    assert "2 of 2 metrics" in page
    assert "depth" in page
    assert ">seed</th>" not in page
    assert ">seed</th>" in pages.get(f"{pair}&show=all")
    assert "parallel" in page
    card = next(card for card in page.split('<figure class="card">') if '"what">val/loss<' in card)
    assert card.count('class="letter pen-0"') == card.count('class="letter pen-1"') == 1


@pytest.mark.parametrize("chosen", [[], ["deep"], ["deep", "deep"], ["nobody", "deep"]])
def test_a_comparison_that_cannot_be_made_says_why(chosen: list[str], pages: Any) -> None:
    asked = "&".join(f"run={pages.ids.get(name, name)}" for name in chosen)
    page = pages.get(f"/compare?{asked}", 404 if "nobody" in chosen else 400)
    assert ("no run" if "nobody" in chosen else "choose 2 to 10") in page


def test_eleven_runs_are_too_many(pages: Any) -> None:
    assert "choose 2 to 10" in pages.get("/compare?" + "&".join(f"run=r{place}" for place in range(11)), 400)


def test_nobody_has_a_page(pages: Any) -> None:
    assert "nobody" in pages.get("/runs/nobody", 404)


def test_an_empty_store_says_how_to_begin_in_words_that_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = memory_store()
    shown = application(store, open_tracking(store, MemoryRunIndex()), project_name="flights")
    answer = TestClient(shown, base_url=HOME).get("/runs")
    assert answer.status_code == 200
    assert "There is no run yet" in answer.text
    sample = re.search(r"<pre>(.*?)</pre>", answer.text, flags=re.S)
    assert sample
    monkeypatch.chdir(tmp_path)
    for name in ("TRIMTAB_STORE", "TRIMTAB_SERVER"):
        monkeypatch.delenv(name, raising=False)
    exec(html.unescape(sample[1]), {})
    with open_project_tracking(open_project(tmp_path, declarations=False)) as tracking:
        (run,) = tracking.runs.search(Query()).items
    assert (run.parameters, run.metrics["loss"].value) == ({"depth": "3"}, 0.42)


def test_a_page_of_a_thousand_runs_is_quick_and_the_next_one_follows(tmp_path: Path) -> None:
    store, index = memory_store(), open_run_index(tmp_path / "runs.sqlite")
    tracking = open_tracking(store, index)
    experiment = tracking.experiments.create("many", by=ADA).id
    for number in range(1000):
        run = tracking.runs.open(experiment, by=ADA, parameters={"number": str(number)}).head.id
        points = Points()
        points.add("loss", 0, number / 7, 0)
        tracking.logbook.log(RunEvent(owner=run, points=encode_points(points)))
    client = TestClient(application(store, tracking, project_name="flights"), base_url=HOME)
    page = client.get("/runs").text
    began = perf_counter()
    page = client.get("/runs").text
    took_s = perf_counter() - began
    assert len(rows(page)) == 50
    assert "1–50 of 1,000" in page
    assert took_s < 1.0, f"{took_s:.2f} s"
    following = html.unescape(re.search(r'<a href="([^"]+)" rel="next">', page)[1])  # type: ignore[index]
    after = client.get(following).text
    assert "51–100 of 1,000" in after
    assert not set(rows(after)) & set(rows(page))
    assert "first page" in after
    index.close()
