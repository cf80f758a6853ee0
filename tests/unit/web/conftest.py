"""The control plane's application over a made-up year, and a client that speaks to it in this process."""

import pytest
from starlette.testclient import TestClient

from trimtab.engine.store import Store
from trimtab.testing.example_year import MODEL, example_year
from trimtab.testing.memory_store import memory_store
from trimtab.web.application import application

HOME = "http://127.0.0.1:8500"


@pytest.fixture(scope="session")
def year_store() -> Store:
    store = memory_store()
    example_year(store, days=120)
    return store


@pytest.fixture(scope="session")
def client(year_store: Store) -> TestClient:
    """Asks for pages; a failing page is a 500 here as it is for a browser."""
    shown = application(
        year_store,
        project_name="flights & more",
        models=[MODEL, "not_yet"],
        prediction_url="http://127.0.0.1:8600",
        allowed_hosts=["models.example"],
    )
    return TestClient(shown, base_url=HOME, raise_server_exceptions=False)
