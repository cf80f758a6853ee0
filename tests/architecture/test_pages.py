"""No link leads nowhere, and nothing in the repository speaks of the machine it was written on."""

import re
import subprocess
from pathlib import Path

import list_settings
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changelog.d").glob("*.md")])


def anchors(page: Path) -> set[str]:
    """The names that headings of a Markdown page can be linked by."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(page: Path) -> list[str]:
    """Links of a page to files or headings that are not there."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        linked = page if not file else page.parent / file
        if not linked.exists() or (anchor and anchor not in anchors(linked)):
            dead.append(target)
    return dead


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_leads_nowhere(page: Path) -> None:
    assert not dead_links(page)


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One way\n[here](#one-way) [gone](gone.md) [lost](page.md#nowhere) [out](https://example.org)\n"
    )
    assert dead_links(page) == ["gone.md", "page.md#nowhere"]


#: Folders of a person's or a build machine's own: in a file of ours they are a leak or a bug.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|Users|work)/[\w.]")


def repository_files() -> list[Path]:
    """Text files that are, or would be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    files = [ROOT / name for name in listed.splitlines()]
    return [path for path in files if path.is_file() and path.suffix not in {".png", ".lock"}]


def test_no_file_names_a_path_of_one_machine() -> None:
    found = []
    for path in repository_files():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if MACHINE_PATH.search(line) and path != Path(__file__):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert not found, "name paths relative to the project:\n" + "\n".join(found)


def test_locks_hold_hashes_and_no_address() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.lock")):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text, f"{lock.name} names where a package was fetched: make it with `make lock`"
        pinned = re.findall(r"^[a-z0-9][\w.-]*==.*\\\n    --hash=sha256:", text, flags=re.M)
        assert len(pinned) == len(re.findall(r"^[a-z0-9][\w.-]*==", text, flags=re.M)), (
            f"{lock.name}: a pin lacks a hash"
        )


def test_the_settings_table_is_what_the_code_says() -> None:
    current = list_settings.page() == list_settings.PAGE.read_text(encoding="utf-8")
    assert current, "docs/interfaces.md: the settings are out of date: run `make docs`"


def test_every_route_of_the_prediction_plane_is_documented() -> None:
    plane = (ROOT / "src/trimtab/loop/serve/plane.py").read_text(encoding="utf-8")
    routes = re.findall(r'_Endpoint\("([A-Z]+)", "([^"]+)"', plane)
    assert routes, "the plane's route table has moved: read it from its new place"
    page = (ROOT / "docs/interfaces.md").read_text(encoding="utf-8")
    missing = [f"{method} {path}" for method, path in routes if f"`{method} {path}`" not in page]
    assert not missing, f"docs/interfaces.md does not name {missing}"
