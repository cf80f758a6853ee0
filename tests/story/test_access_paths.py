"""Strings that try to leave the store, put into every place where a client may put one: none opens a file elsewhere."""

import asyncio
import itertools
import re
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from parts.asgi import ask
from trimtab.adapters.local_store import open_store
from trimtab.adapters.sqlite_run_index import open_run_index
from trimtab.atoms.actor import Actor
from trimtab.tracking.tracking import open_tracking
from trimtab.web.access.table import Table
from trimtab.web.application import application
from trimtab.web.route import Route

CANARY = "the canary sang outside the store"


def climbing(outside: Path) -> list[str]:
    """2,000 ways to write a path that leads out, to files that are there."""
    targets = ["etc/passwd", str(outside)[1:], "canary.txt", "proc/self/environ", "windows/win.ini"]
    ups = ["..", "%2e%2e", "..%2f..", "..%5c..", "%252e%252e", "....//..", "..;", ".%00.", "..%c0%af..", "․․"]
    slashes = ["/", "\\", "//", "%2f", "/./"]
    heads = ["", "/", "\\", "a/", "file:///", "C:\\", "~/", "\0"]
    made = [
        head + slash.join([up] * depth) + slash + target
        for head, up, slash, target, depth in itertools.product(heads, ups, slashes, targets, (1, 3, 9))
    ]
    return [f"/{target}" for target in targets] + made[:: max(1, len(made) // 2000)]


@dataclass
class House:
    """A server over a store on disk, and what is opened meanwhile."""

    table: Table
    folder: Path
    run: str
    opened: list[str] = field(default_factory=list)

    def elsewhere(self) -> set[str]:
        """Files that were opened outside the store, but for Python's and this program's own."""
        here = Path(__file__).parents[2]
        own = (sysconfig.get_paths()["stdlib"], sys.prefix, sys.base_prefix, here / "src", here / ".venv")
        allowed = tuple(f"{Path(each).resolve()}/" for each in (self.folder / "store", *own))
        found = {path for path in self.opened if path.startswith("/")}
        return {path for path in found if not f"{path}/".startswith((*allowed, "/dev/null/"))}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    (folder / "canary.txt").write_text(CANARY, encoding="utf-8")
    store = open_store(folder / "store")
    index = open_run_index(folder / "store" / "runs.sqlite")
    tracking = open_tracking(store, index)
    run = tracking.runs.open(by=Actor(by="person:ann"))
    tracking.files.put(run.head.id, "a/b.txt", [b"inside"])
    made = House(application(store, tracking, project_name="p"), folder, run.head.id)

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event in ("open", "os.listdir", "os.remove", "os.rename", "os.mkdir", "os.link"):
            made.opened.extend(str(each) for each in arguments[:2] if isinstance(each, str | bytes))

    watching = [True]
    sys.addaudithook(note)
    yield made
    watching.clear()
    index.close()
    store.close()


def slots(route: Route) -> Iterator[tuple[str, str]]:
    """Places of a route that take a text: names in its path, and fields of its query."""
    for name in re.findall(r"\{(\w+)(?::path)?\}", route.path):
        yield "path", name
    if route.query is not None:
        for each in msgspec.structs.fields(route.query):
            yield "query", each.encode_name


async def asked(house: House, route: Route, kind: str, name: str, text: str, raw: bool) -> tuple[int, bytes]:
    """Ask with the text in one place, and what fits in the others."""
    written = text if raw else quote(text, safe="")

    def filled(found: "re.Match[str]") -> str:
        if kind == "path" and found[1] == name:
            return written
        return house.run if found[1] in ("run", "run_id") else "0"

    path = re.sub(r"\{(\w+)(?::path)?\}", filled, route.path)
    query = f"{name}={quote(text, safe='')}" if kind == "query" else ""
    body = b"{}" if route.body is not None else b"x" if route.raw_body else b""
    headers = {"content-type": "application/json"}
    said = await ask(
        house.table, route.method, path.encode("utf-8", "replace"), headers, body, query.encode()
    )
    return said.status, said.body


@pytest.mark.parametrize("share", [150, pytest.param(1, marks=pytest.mark.slow)])
def test_no_path_leads_out_of_the_store(house: House, share: int) -> None:
    """Of 2,000 strings every 150th in each place; all of them under the mark `slow`."""
    texts = climbing(house.folder / "canary.txt")
    assert len(texts) >= 2000
    places = [(route, *slot) for route in house.table.routes for slot in slots(route)]
    assert len(places) > 100
    wrong: list[str] = []

    async def everything() -> int:
        count = 0
        for place, (route, kind, name) in enumerate(places):
            if "/ajax-api/" in route.path or "/api/3.0/" in route.path:
                continue  # the same endpoints once more, and what is answered 501
            for number, text in enumerate(texts[place % share :: share]):
                status, body = await asked(house, route, kind, name, text, raw=number % 2 == 0)
                count += 1
                if (status >= 500 and status != 501) or CANARY.encode() in body or b"root:" in body:
                    wrong.append(
                        f"{route.method} {route.path} with {text!r} in {name}: {status} {body[:200]!r}"
                    )
        return count

    house.opened.clear()
    count = asyncio.run(everything())
    assert count > 1000
    assert not wrong, "\n".join(wrong[:20])
    assert not house.elsewhere()
    assert sorted(path.name for path in house.folder.iterdir()) == ["canary.txt", "store"]
    (house.folder / "canary.txt").read_bytes()
    assert str(house.folder / "canary.txt") in house.elsewhere(), "the watch sees what is opened elsewhere"
