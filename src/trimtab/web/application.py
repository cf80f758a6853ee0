"""The control plane's web application: pages, API, metrics."""

import html
from collections.abc import Sequence
from pathlib import Path

import jinja2
import msgspec
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from trimtab import __version__
from trimtab.engine.store import Store
from trimtab.views.memory import Memory
from trimtab.web.api import api_routes
from trimtab.web.door import Door, problem_body
from trimtab.web.figure import measured, plain_number
from trimtab.web.metric_page import MEDIA_TYPE, metric_page
from trimtab.web.page import Pages

_HERE = Path(__file__).parent


def application(
    store: Store,
    *,
    project_name: str,
    models: Sequence[str] = (),
    prediction_url: str = "",
    allowed_hosts: Sequence[str] = (),
) -> Starlette:
    """Make the application; it reads the store and writes nothing.

    Args:
        store: Open; the caller closes it.
        project_name: Shown at the top of each page.
        models: Names that the project declares, shown also while they have no version.
        prediction_url: Where the prediction plane answers, as `http://127.0.0.1:8600`; empty: not shown.
        allowed_hosts: Names that requests may call this server by, beside loopback's.
    """
    memory = Memory(store)
    pages = Pages(memory, _templates(project_name, prediction_url), list(models))

    async def healthz(request: Request) -> Response:
        entries, chain = store.ledger.head()
        return Response(
            msgspec.json.encode({"status": "ok", "entries": entries, "chain": chain}),
            media_type="application/json",
        )

    async def metrics(request: Request) -> Response:
        memory.refresh()
        return Response(metric_page(memory), media_type=MEDIA_TYPE)

    return Starlette(
        routes=[
            *pages.routes(),
            *api_routes(memory),
            Route("/healthz", healthz),
            Route("/metrics", metrics),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ],
        middleware=[Middleware(Door, allowed_hosts=tuple(allowed_hosts))],
        exception_handlers={HTTPException: _refused},
    )


def _templates(project_name: str, prediction_url: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals.update(project=project_name, prediction_url=prediction_url, program=__version__)
    environment.filters.update(
        minute=lambda at: at[:16].replace("T", " ") if at else "",
        drawing=Markup,
        number=plain_number,
        measured=measured,
        thousands=lambda value: f"{value:,}",
        percent=lambda value: f"{value:.0%}" if value * 100 % 1 < 1e-9 else f"{value:.1%}",
    )
    return environment


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = str(error.detail)
    if error.status_code == 404 and detail == "Not Found":
        detail = f"nothing is at {request.url.path}"
    return _problem(request, error.status_code, detail)


def _problem(request: Request, status: int, detail: str) -> Response:
    request_id = getattr(request.state, "request_id", "")
    if "text/html" in request.headers.get("accept", ""):
        page = (_HERE / "templates" / "problem.html").read_text(encoding="utf-8")
        body = page.format(status=status, detail=html.escape(detail), request_id=request_id)
        return Response(body, status_code=status, media_type="text/html")
    return Response(
        problem_body(status, detail, request_id), status_code=status, media_type="application/problem+json"
    )
