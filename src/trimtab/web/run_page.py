"""The pages of runs: their list, all about one, and some side by side."""

from typing import Any

import jinja2

from trimtab.tracking.tracking import Tracking
from trimtab.views.comparison import FEWEST, MOST
from trimtab.web.access.permission import Permission
from trimtab.web.route import Call, Refused, Response, Route
from trimtab.web.run_about import about, size
from trimtab.web.run_comparison import CompareQuery, side_by_side
from trimtab.web.run_list_page import RunsQuery, run_list
from trimtab.web.run_picture import ChartQuery


def run_pages(tracking: Tracking, templates: jinja2.Environment) -> list[Route]:
    """Where the pages of runs are."""
    pages = RunPages(tracking, templates)
    return [
        Route("GET", "/runs", Permission.READ, pages.runs, "Runs.", query=RunsQuery, documented=False),
        Route(
            "GET", "/runs/{run}", Permission.READ, pages.run, "One run.", query=ChartQuery, documented=False
        ),
        Route(
            "GET",
            "/compare",
            Permission.READ,
            pages.compare,
            "Runs side by side.",
            query=CompareQuery,
            documented=False,
        ),
    ]


class RunPages:
    """Renders the pages of runs."""

    def __init__(self, tracking: Tracking, templates: jinja2.Environment) -> None:
        self._tracking, self._templates = tracking, templates

    def runs(self, call: Call) -> Response:
        """Runs that were asked for."""
        return self._html("runs.html", **run_list(self._tracking, call.query))

    def run(self, call: Call) -> Response:
        """All about one run."""
        found = self._tracking.runs.find(call.path["run"])
        return self._html("run.html", **about(self._tracking, found, call.query))

    def compare(self, call: Call) -> Response:
        """Runs side by side."""
        asked: CompareQuery = call.query
        chosen = list(dict.fromkeys(asked.run))
        if not FEWEST <= len(chosen) <= MOST:
            raise Refused(
                400,
                f"choose {FEWEST} to {MOST} different runs in the list, not {len(chosen)}",
            )
        runs = [self._tracking.runs.find(each) for each in chosen]
        return self._html("compare.html", **side_by_side(self._tracking, runs, asked))

    def _html(self, template: str, **facts: Any) -> Response:
        entries, chain = self._tracking.store.ledger.head()
        body = self._templates.get_template(template).render(
            head={"entries": entries, "chain": chain}, size=size, **facts
        )
        headers = {"cache-control": "no-store"}
        return Response(body, media_type="text/html", headers=headers)
