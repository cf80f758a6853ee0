"""A real Chromium goes through the runs: it filters, orders, compares, with the mouse and with keys alone."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from parts.control import control
from parts.logged_runs import ADA, MARKUP, log_runs
from trimtab.adapters.local_store import open_store
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.atoms.metric_point import Points, encode_points
from trimtab.atoms.run import NAME_TAG, LoggedDataset, RunStatus
from trimtab.atoms.run_event import RunEvent
from trimtab.testing.example_year import example_year
from trimtab.tracking.tracking import Tracking, open_tracking

SCREENS = [(1280, 900), (390, 800)]


@dataclass(frozen=True)
class Shown:
    """A server, and the runs it shows."""

    address: str
    place: Path
    ids: dict[str, str]

    @contextmanager
    def tracking(self) -> Iterator[Tracking]:
        """The same store, as another process writes to it."""
        index = open_run_index(self.place / "runs.sqlite")
        with closing(open_store(self.place)) as store, closing(index):
            tracking = open_tracking(store, index)
            yield tracking
            tracking.follower.stop()


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A control plane over the engine's runs and people's."""
    folder = tmp_path_factory.mktemp("seen")
    place = folder / ".trimtab"
    ids: dict[str, str] = {}
    with Shown("", place, ids).tracking() as tracking:
        example_year(tracking.store, days=40)
        ids.update(log_runs(tracking))
    with control(folder) as running:
        yield Shown(running.address, place, ids)
        assert "Traceback" not in running.log


def names(page: Any) -> list[str]:
    return [str(name) for name in page.locator(".run-list td.who a").all_inner_texts()]


def test_one_goes_from_the_first_page_to_a_run_and_back_to_its_record(page: Any, shown: Shown) -> None:
    page.goto(shown.address)
    page.get_by_role("link", name="Runs", exact=True).click()
    page.get_by_role("link", name="deep", exact=True).click()
    assert page.locator(".run-head h2").inner_text().startswith("deep")
    chart = page.locator("figure.card", has_text="val/loss").locator("svg.chart")
    box = chart.bounding_box()
    assert box["width"] > 300
    stroke = chart.locator("polyline.value").first.evaluate("each => getComputedStyle(each).stroke")
    assert stroke not in ("none", "rgb(0, 0, 0)"), "the style sheet was not applied"
    with page.expect_download() as download:
        page.get_by_role("link", name="notes.txt").click()
    assert Path(download.value.path()).read_bytes() == b"what was tried"
    page.get_by_role("link", name="its record").click()
    assert shown.ids["deep"] in page.locator("main").inner_text()


def test_addresses_that_mlflows_client_prints_lead_to_the_same_thing(page: Any, shown: Shown) -> None:
    run = shown.ids["deep"]
    with shown.tracking() as tracking:
        experiment = tracking.runs.find(run).head.experiment
    page.goto(f"{shown.address}/#/experiments/{experiment}/runs/{run}")
    page.wait_for_url(f"{shown.address}/runs/{run}")
    assert page.locator(".run-head h2").inner_text().startswith("deep")
    page.goto(f"{shown.address}/#/experiments/{experiment}")
    page.wait_for_url(f"{shown.address}/runs?experiment={experiment}")
    assert "deep" in names(page)
    page.goto(f"{shown.address}/#/models/wind/versions/1")
    page.wait_for_url(f"{shown.address}/")
    assert page.get_by_role("heading", name="The loop").is_visible()
    page.evaluate(f"location.hash = '#/experiments/{experiment}/runs/{run}/artifacts'")
    page.wait_for_url(f"{shown.address}/runs/{run}")


def test_the_filter_and_the_heads_of_columns_work(page: Any, shown: Shown) -> None:
    page.goto(f"{shown.address}/runs")
    page.get_by_label("Filter").fill("params.depth != '30' and metrics.roc_auc > 0.1")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**where=**")
    assert set(names(page)) == {"deep", "shallow"}
    page.get_by_role("link", name="val/loss").click()
    page.wait_for_url("**order=**")
    assert names(page) == ["deep", "shallow"]
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("val/loss")
    page.locator("th[aria-sort] a").click()
    page.wait_for_url("**DESC**")
    assert names(page) == ["shallow", "deep"]
    page.get_by_label("Filter").fill("metrics.loss <")
    page.get_by_label("Filter").press("Enter")
    assert "expected a number" in page.get_by_role("alert").inner_text()


def test_chosen_runs_are_compared_with_keys_alone(page: Any, shown: Shown) -> None:
    page.goto(f"{shown.address}/runs")
    compare = page.get_by_role("button", name="Compare the chosen")
    assert compare.is_disabled()
    reached = []
    for _ in range(120):
        page.keyboard.press("Tab")
        label = page.evaluate(
            "(at => at.getAttribute('aria-label') || at.innerText.trim().split('\\n')[0])(document.activeElement)"
        )
        reached.append(label)
        if label in ("compare shallow", "compare deep"):
            page.keyboard.press("Space")
        if label == "Compare the chosen":
            break
    assert [
        word for word in ("Runs", "all", "churn", "Show", "deep", "compare shallow") if word not in reached
    ] == []
    assert page.locator(".chosen").inner_text() == "2 chosen"
    page.keyboard.press("Enter")
    page.wait_for_url("**/compare?**")
    assert page.locator(".compared thead th").count() == 2
    best = page.locator(".compared tr", has_text="val/loss").locator("td.best")
    assert "0.4" in best.inner_text()
    lines = page.locator("figure.card", has_text="val/loss").locator("polyline.value")
    assert lines.count() == 3, "two lines, one of them with a gap"
    strokes = {lines.nth(place).evaluate("each => getComputedStyle(each).stroke") for place in range(3)}
    assert len(strokes) == 2
    assert page.locator("svg.parallel").is_visible()
    page.get_by_role("link", name="log", exact=True).click()
    page.wait_for_url("**scale=log**")
    page.get_by_role("link", name="show these too").click()
    assert page.locator(".compared").get_by_text("seed", exact=True).is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SCREENS)
def test_nothing_runs_off_the_screen(
    browser: Any, shown: Shown, width: int, height: int, scheme: str
) -> None:
    tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    wide = wide_run(shown)
    pair = f"/compare?run={shown.ids['shallow']}&run={shown.ids['deep']}&run={shown.ids[MARKUP]}"
    pages = ["/runs", f"/runs/{shown.ids['deep']}", f"/runs/{shown.ids[MARKUP]}", f"/runs/{wide}", pair]
    for path in (*pages, f"/compare?run={wide}&run={shown.ids['deep']}"):
        tab.goto(shown.address + path)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, path
        ground = tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (sum(map(int, ground[4:-1].split(","))) < 150) is (scheme == "dark")
    tab.close()


def wide_run(shown: Shown) -> str:
    """A run whose words are as long as they may be, without a place to break them."""
    with shown.tracking() as tracking:
        run = tracking.runs.open(
            tracking.experiments.named("other").id,
            by=ADA,
            run="wide",
            tags={NAME_TAG: "N" * 250, "t" * 250: "w" * 2000},
            parameters={"p" * 250: "v" * 3000},
        )
        if not run.head.status.ended:
            told = LoggedDataset(name="d" * 400, digest="e" * 64, source_type="local", source="/x" * 200)
            tracking.logbook.log(RunEvent(owner="wide", datasets=(told,)))
            tracking.runs.close("wide", RunStatus.FAILED, by=ADA, note="ValueError: " + "x" * 1500)
    return "wide"


def test_what_is_typed_and_chosen_stays_while_the_list_renews_itself(page: Any, shown: Shown) -> None:
    page.goto(f"{shown.address}/runs")
    page.get_by_label("compare deep").check()
    box = page.get_by_label("Filter")
    box.fill("metrics.roc_auc > 0.7")
    box.press("ArrowLeft")
    page.evaluate("window.same = true")
    with shown.tracking() as tracking:
        late = tracking.runs.open(
            tracking.experiments.named("churn").id, by=ADA, tags={"mlflow.runName": "latecomer"}
        )
        page.get_by_role("link", name="latecomer").wait_for(timeout=10_000)
        tracking.runs.close(late.head.id, RunStatus.FINISHED, by=ADA)
        tracking.runs.set_deleted(late.head.id, True, by=ADA)
    assert page.evaluate("window.same") is True, "the page was reloaded"
    assert page.get_by_label("compare deep").is_checked()
    assert page.get_by_label("Filter").input_value() == "metrics.roc_auc > 0.7"
    assert page.evaluate("document.activeElement.id") == "where"
    assert page.evaluate("document.activeElement.selectionStart") == len("metrics.roc_auc > 0.7") - 1
    assert page.locator(".chosen").inner_text() == "1 chosen"


def test_the_chart_of_a_run_that_runs_grows_by_itself(page: Any, shown: Shown) -> None:
    page.goto(f"{shown.address}/runs/{shown.ids[MARKUP]}")
    line = page.locator("figure.card", has_text="val/loss").locator("polyline.value")
    assert len(line.get_attribute("points").split()) == 2
    points = Points()
    for step in (2, 3, 4):
        points.add("val/loss", step, 1.0 / step, 1_700_000_000_000_000 + step)
    with shown.tracking() as tracking:
        tracking.logbook.log(RunEvent(owner=shown.ids[MARKUP], points=encode_points(points)))
    deadline = monotonic() + 10
    while len(line.get_attribute("points").split()) != 5:
        assert monotonic() < deadline, "the chart did not grow within 10 s"
        page.wait_for_timeout(100)
