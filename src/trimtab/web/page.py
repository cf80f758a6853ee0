"""The pages: the loop at a glance, the lists behind it, and one record with all that hangs on it."""

import json
from typing import Any

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trimtab.atoms.error import UsageError
from trimtab.views.account import record_account
from trimtab.views.lineage_tree import lineage_tree
from trimtab.views.memory import Memory
from trimtab.views.name import resolve
from trimtab.web.home import decisions, home

ROWS_A_LIST = 200


class Pages:
    """Renders pages from the memory; the first page is rendered once for each head of the ledger."""

    def __init__(self, memory: Memory, templates: jinja2.Environment, models: list[str]) -> None:
        self._memory = memory
        self._templates = templates
        self._models = models
        self._home: tuple[str, str] = ("", "")

    def routes(self) -> list[Route]:
        """Where the pages are."""
        return [
            Route("/", self.home),
            Route("/checks", self.checks),
            Route("/decisions", self.decisions),
            Route("/id/{name:path}", self.record),
        ]

    async def home(self, request: Request) -> Response:
        """The loop at a glance."""
        self._memory.refresh()
        if self._home[0] != self._memory.head[1]:
            self._home = (self._memory.head[1], self._render("home.html", **home(self._memory, self._models)))
        return _html(self._home[1])

    async def checks(self, request: Request) -> Response:
        """The newest Checks, of one verdict or of all."""
        self._memory.refresh()
        verdict = request.query_params.get("verdict")
        if verdict not in (None, "PASS", "FAIL", "UNSURE", "BROKEN"):
            raise HTTPException(400, "verdict is one of PASS, FAIL, UNSURE, BROKEN")
        events = self._memory.timeline.recent(ROWS_A_LIST, (verdict or "check",))
        return _html(self._render("checks.html", checks=[event.record for event in events], verdict=verdict))

    async def decisions(self, request: Request) -> Response:
        """The newest decisions with their reasons."""
        self._memory.refresh()
        return _html(self._render("decisions.html", decisions=decisions(self._memory, ROWS_A_LIST)))

    async def record(self, request: Request) -> Response:
        """One artifact, Check or Action."""
        self._memory.refresh()
        try:
            record_id = resolve(self._memory, request.path_params["name"])
        except UsageError as error:
            raise HTTPException(404, str(error)) from error
        account = record_account(self._memory, record_id)
        content = account.pop("content", None)
        links = self._memory.links
        return _html(
            self._render(
                "record.html",
                content=None if content is None else json.dumps(content, indent=2, ensure_ascii=False),
                raw=json.dumps(account["record"], indent=2, ensure_ascii=False),
                named=self._named(record_id),
                led_to=lineage_tree(links, record_id, upward=False),
                came_of=lineage_tree(links, record_id, upward=True),
                **account,
            )
        )

    def _named(self, record_id: str) -> str:
        """What people call it: a bundle's version, a window's span."""
        version = self._memory.releases.version_of(record_id)
        if version is not None:
            return f"{version[0]} v{version[1].number}"
        window = self._memory.windows.find(record_id)
        return f"{window.model} {window.span}" if window is not None else ""

    def _render(self, template: str, **facts: Any) -> str:
        entries, chain = self._memory.head
        return self._templates.get_template(template).render(
            head={"entries": entries, "chain": chain}, **facts
        )


def _html(body: str) -> Response:
    return Response(body, media_type="text/html", headers={"cache-control": "no-store"})
