"""The control plane's web application: every route of pages, API, MLflow's protocol and metrics, behind one table."""

from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from trimtab import __version__
from trimtab.assembly.session import person
from trimtab.atoms.actor import Actor
from trimtab.engine.store import Store
from trimtab.tracking.tracking import Tracking
from trimtab.views.memory import Memory
from trimtab.web.access.door import Door
from trimtab.web.access.gate import Gate
from trimtab.web.access.login import login_routes
from trimtab.web.access.permission import Permission
from trimtab.web.access.table import Limits, Table
from trimtab.web.api.route_list import api_routes
from trimtab.web.figure import measured, plain_number
from trimtab.web.metric_page import MEDIA_TYPE, metric_page
from trimtab.web.mlflow.route_list import mlflow_routes
from trimtab.web.model_page import model_pages
from trimtab.web.openapi import openapi_route
from trimtab.web.page import Pages
from trimtab.web.route import Call, Response, Route
from trimtab.web.run_page import run_pages
from trimtab.web.static_file import static_routes

_HERE = Path(__file__).parent


def application(
    store: Store,
    tracking: Tracking,
    *,
    project_name: str,
    models: Sequence[str] = (),
    prediction_url: str = "",
    allowed_hosts: Sequence[str] = (),
    gate: Gate | None = None,
    secure: bool = False,
    limits: Limits | None = None,
) -> Table:
    """Make the application.

    Args:
        store: Open; the caller closes it, and what `tracking` holds.
        project_name: Shown at the top of each page, and what tokens are for.
        models: Names that the project declares, shown also while they have no version.
        prediction_url: Where the prediction plane answers, as `http://127.0.0.1:8600`; empty: not shown.
        allowed_hosts: Names that requests may call this server by, beside loopback's.
        gate: Who may do what; None: whoever asks is this machine's user and needs no token.
        secure: Whether browsers reach the server by TLS.

    Raises:
        ConfigurationRefused: A route does not say who may ask, or two are in one place.
    """
    memory = Memory(store)
    gate = gate or Gate(project_name, local=Actor(by=person()))
    templates = _templates(project_name, prediction_url)
    templates.globals.update(asks_for_tokens=gate.required)
    routes = [
        *Pages(memory, templates, list(models)).routes(),
        *run_pages(tracking, templates),
        *model_pages(tracking, templates),
        *api_routes(memory, tracking, project_name),
        *mlflow_routes(tracking),
        *login_routes(gate, secure=secure),
        *_machine_routes(store, memory),
        *static_routes(),
    ]
    return Table([*routes, openapi_route(routes)], door=Door(allowed_hosts), gate=gate, limits=limits)


def _machine_routes(store: Store, memory: Memory) -> list[Route]:
    """What programs ask that watch this one."""

    def healthz(call: Call) -> dict[str, object]:
        entries, chain = store.ledger.head()
        return {"status": "ok", "entries": entries, "chain": chain}

    def metrics(call: Call) -> Response:
        with memory.reading():
            return Response(metric_page(memory), media_type=MEDIA_TYPE)

    return [
        Route("GET", "/healthz", Permission.OPEN, healthz, "Whether the server answers.", documented=False),
        Route("GET", "/metrics", Permission.READ, metrics, "Counts for Prometheus.", documented=False),
    ]


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
