"""A real Chromium sees the page: the loop, the plot, no complaint, and a change without a reload."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from trimtab.adapters.local_store import open_store
from trimtab.testing.example_year import MODEL, example_year
from trimtab.testing.storyteller import Storyteller


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder with a made-up year in its store."""
    folder = tmp_path_factory.mktemp("seen")
    store = open_store(folder / ".trimtab")
    example_year(store, days=80)
    store.close()
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The control plane over that store, as a process of its own."""
    ready, log = folder / "ready", folder / "log"
    place = [str(folder), "127.0.0.1", "0", str(ready), "http://127.0.0.1:8600"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "trimtab.web.control_plane", *place],
            stdout=output,
            stderr=output,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "TRIMTAB_STORE": str(folder / ".trimtab"),
            },
        )
    try:
        deadline = monotonic() + 30
        while not ready.exists():
            assert process.poll() is None, log.read_text()
            assert monotonic() < deadline, "the control plane did not listen within 30 s"
            sleep(0.05)
        yield ready.read_text()
    finally:
        process.terminate()
        process.wait(10)
    assert "Traceback" not in log.read_text()


def test_the_loop_is_drawn_and_says_how_it_stands(page: Any, address: str) -> None:
    page.goto(address)
    loop = page.locator("svg.loop.wide")
    assert loop.is_visible()
    assert not page.locator("svg.loop.narrow").is_visible()
    for verb in ("ingest", "validate", "featurize", "train", "evaluate", "register", "release", "serve"):
        assert loop.get_by_text(verb, exact=True).first.is_visible()
    assert loop.get_by_text("✕ FAIL").count() >= 1
    box = loop.bounding_box()
    assert box["width"] > 1000
    assert box["height"] > 300


def test_the_champion_the_split_and_the_plot_are_seen(page: Any, address: str) -> None:
    page.goto(address)
    assert page.locator(".dial.champion .value").inner_text() == "v2"
    plot = page.locator("svg.plot.wide")
    assert plot.is_visible()
    line = plot.locator("polyline.value").first
    assert len(line.get_attribute("points").split()) == 80
    colour = line.evaluate("each => getComputedStyle(each).stroke")
    assert colour not in ("none", "rgb(0, 0, 0)"), "the style sheet was not applied"
    assert plot.get_by_text("↩ v3").is_visible()
    assert plot.locator(".mark.fail").count() >= 1


def test_a_decision_leads_to_its_reason_and_on_to_the_data(page: Any, address: str) -> None:
    page.goto(address)
    page.locator(".decisions li.roll-back .because a").first.click()
    assert "canary.errors" in page.locator(".record h2").inner_text()
    assert "canary requests failed" in page.locator(".lead").inner_text()
    page.get_by_role("link", name="bundle").first.click()
    assert "late_arrival v3" in page.locator(".record h2").inner_text()
    tree = page.locator(".tree").first
    assert tree.get_by_text("ingest", exact=True).first.is_visible()


def test_on_a_phone_nothing_runs_off_the_screen(page: Any, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    for path in ("/", "/checks", "/decisions", f"/id/{MODEL}@2"):
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page.goto(address)
    assert page.locator("svg.loop.narrow").is_visible()
    assert not page.locator("svg.loop.wide").is_visible()


def test_dark_is_dark(browser: Any, address: str) -> None:
    for scheme, dark in (("light", False), ("dark", True)):
        tab = browser.new_page(color_scheme=scheme)
        tab.goto(address)
        colour = tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (sum(map(int, colour[4:-1].split(","))) < 150) is dark, colour
        tab.close()


def test_what_happens_appears_without_a_reload(page: Any, address: str, folder: Path) -> None:
    page.goto(address)
    assert page.locator("#light").inner_text() == "live"
    page.evaluate("window.same = true")
    store = open_store(folder / ".trimtab")
    teller = Storyteller(store, datetime(2014, 1, 1, tzinfo=UTC))
    teller.tell("trigger", "retrain", MODEL, note="a person wants it anew")
    store.close()
    page.get_by_text("a person wants it anew").wait_for(timeout=10_000)
    assert page.evaluate("window.same") is True, "the page was reloaded"
