"""The pages: the loop at a glance, the lists behind it, and one record with all that hangs on it."""

import json
from collections.abc import Callable
from typing import Any

import jinja2
import msgspec

from trimtab.atoms.check import Verdict
from trimtab.atoms.error import NotThere, UsageError
from trimtab.views.account import record_account
from trimtab.views.lineage_tree import lineage_tree
from trimtab.views.memory import Memory
from trimtab.views.name import resolve
from trimtab.web.access.permission import Permission
from trimtab.web.home import decisions, home
from trimtab.web.route import Call, Response, Route

ROWS_A_LIST = 200


class CheckQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which Checks a list shows."""

    verdict: Verdict | None = None


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
            _page("/", self.home, "The loop at a glance."),
            _page("/checks", self.checks, "The newest Checks.", CheckQuery),
            _page("/decisions", self.decisions, "The newest decisions with their reasons."),
            _page("/id/{name:path}", self.record, "One artifact, Check or Action."),
        ]

    def home(self, call: Call) -> Response:
        """The loop at a glance."""
        with self._memory.reading() as memory:
            if self._home[0] != memory.head[1]:
                self._home = (memory.head[1], self._render("home.html", **home(memory, self._models)))
            return _html(self._home[1])

    def checks(self, call: Call) -> Response:
        """The newest Checks, of one verdict or of all."""
        verdict = call.query.verdict and call.query.verdict.value
        with self._memory.reading() as memory:
            events = memory.timeline.recent(ROWS_A_LIST, (verdict or "check",))
            return _html(
                self._render("checks.html", checks=[event.record for event in events], verdict=verdict)
            )

    def decisions(self, call: Call) -> Response:
        """The newest decisions with their reasons."""
        with self._memory.reading() as memory:
            return _html(self._render("decisions.html", decisions=decisions(memory, ROWS_A_LIST)))

    def record(self, call: Call) -> Response:
        """One artifact, Check or Action."""
        with self._memory.reading() as memory:
            return _html(self._record(memory, call))

    def _record(self, memory: Memory, call: Call) -> str:
        try:
            record_id = resolve(memory, call.path["name"])
        except UsageError as error:
            raise NotThere(str(error)) from error
        account = record_account(memory, record_id, call.permissions)
        content = account.pop("content", None)
        return self._render(
            "record.html",
            content=None if content is None else json.dumps(content, indent=2, ensure_ascii=False),
            raw=json.dumps(account["record"], indent=2, ensure_ascii=False),
            named=self._named(record_id),
            led_to=lineage_tree(memory.links, record_id, upward=False),
            came_of=lineage_tree(memory.links, record_id, upward=True),
            **account,
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


def _page(
    path: str, endpoint: Callable[[Call], Response], summary: str, query: type[msgspec.Struct] | None = None
) -> Route:
    return Route("GET", path, Permission.READ, endpoint, summary, query=query, documented=False)


def _html(body: str) -> Response:
    return Response(body, media_type="text/html", headers={"cache-control": "no-store"})
