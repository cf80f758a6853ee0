"""Who may do what with the registry, by the live table of routes."""

import pytest

from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.testing.memory_store import memory_store
from trimtab.tracking.tracking import open_tracking
from trimtab.web.access.permission import GIVES, Permission, Role
from trimtab.web.mlflow.registry_routes import registry_routes

PREFIX = "/api/2.0/mlflow"

WANTED = {
    Permission.READ: {
        "GET /registered-models/get",
        "GET /registered-models/search",
        "GET /registered-models/get-latest-versions",
        "POST /registered-models/get-latest-versions",
        "GET /registered-models/alias",
        "GET /model-versions/get",
        "GET /model-versions/search",
        "GET /model-versions/get-download-uri",
    },
    Permission.LOG: {
        "POST /registered-models/create",
        "PATCH /registered-models/update",
        "POST /registered-models/set-tag",
        "DELETE /registered-models/delete-tag",
        "POST /model-versions/create",
        "PATCH /model-versions/update",
        "POST /model-versions/set-tag",
        "DELETE /model-versions/delete-tag",
    },
    Permission.RELEASE: {
        "POST /registered-models/alias",
        "DELETE /registered-models/alias",
        "POST /registered-models/rename",
        "POST /model-versions/transition-stage",
    },
    Permission.ADMINISTER: {"DELETE /registered-models/delete", "DELETE /model-versions/delete"},
}


@pytest.fixture
def needed() -> dict[str, Permission | None]:
    """Permission by method and path, below one prefix."""
    tracking = open_tracking(memory_store(), MemoryRunIndex())
    routes = registry_routes(tracking)
    tracking.follower.stop()
    return {
        f"{route.method} {route.path.removeprefix(PREFIX)}": route.permission
        for route in routes
        if route.path.startswith(PREFIX)
    }


def test_every_call_of_mlflows_registry_is_there_with_its_permission(
    needed: dict[str, Permission | None],
) -> None:
    told: dict[Permission | None, set[str]] = {}
    for route, permission in needed.items():
        told.setdefault(permission, set()).add(route)
    assert told == WANTED


def test_who_uploads_does_not_promote(needed: dict[str, Permission | None]) -> None:
    runner = GIVES[Role.RUNNER]
    assert needed["POST /model-versions/create"] in runner
    for route in (*WANTED[Permission.RELEASE], *WANTED[Permission.ADMINISTER]):
        assert needed[route] not in runner


def test_the_pages_of_mlflow_ask_the_same() -> None:
    tracking = open_tracking(memory_store(), MemoryRunIndex())
    routes = registry_routes(tracking)
    tracking.follower.stop()
    ajax = {
        (route.method, route.path.replace("/ajax-api/", "/api/"), route.permission)
        for route in routes
        if route.path.startswith("/ajax-api/")
    }
    plain = {
        (route.method, route.path, route.permission) for route in routes if route.path.startswith("/api/")
    }
    assert ajax == plain
