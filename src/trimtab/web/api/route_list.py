"""Every route of the API."""

from trimtab.tracking.tracking import Tracking
from trimtab.views.memory import Memory
from trimtab.web.api.experiment_route import experiment_routes
from trimtab.web.api.file_route import file_routes
from trimtab.web.api.log_route import log_routes
from trimtab.web.api.record_route import record_routes
from trimtab.web.api.registry_route import registry_routes
from trimtab.web.api.repeat import Repeats
from trimtab.web.api.run_route import run_routes
from trimtab.web.api.token_route import token_routes
from trimtab.web.api.view_route import view_routes
from trimtab.web.route import Route


def api_routes(memory: Memory, tracking: Tracking, project: str) -> list[Route]:
    """Routes under `/api/v1`: the views, and experiments and runs with what they log.

    Args:
        project: The one whose tokens are shown and given.
    """
    repeats = Repeats(tracking.store)
    return [
        *view_routes(memory, tracking.registry.models),
        *registry_routes(tracking.registry.models),
        *record_routes(memory),
        *token_routes(tracking.store, repeats, project),
        *experiment_routes(tracking, repeats),
        *run_routes(tracking, repeats),
        *log_routes(tracking, repeats),
        *file_routes(tracking, repeats),
    ]
