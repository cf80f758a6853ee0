"""A Chromium that tests look at pages with."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def chromium() -> str:
    """The browser's program; without one the test is skipped, but not under CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None and os.environ.get("CI"):
        pytest.fail("no Chromium: .ci/run installs it")
    if found is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium; the import is here because only these tests need the package."""
    program = chromium()
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        shown = driver.chromium.launch(executable_path=program, headless=True, args=FLAGS)
        yield shown
        shown.close()


def given_up(request: Any) -> bool:
    """Whether the browser itself gave up asking for the page's icon, because the page was left meanwhile."""
    return request.failure == "net::ERR_ABORTED" and str(request.url).endswith("/static/icon.svg")


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A tab that notes what the browser complains of."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.complaints = []
    tab.on("console", lambda message: tab.complaints.append(message.text))
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.on("requestfailed", lambda request: given_up(request) or tab.complaints.append(request.url))
    yield tab
    assert tab.complaints == []
    tab.close()
