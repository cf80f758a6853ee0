"""The control plane's application over a made-up year, and a client that speaks to it in this process."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from parts.page import asked
from trimtab.engine.store import Store
from trimtab.testing.example_year import MODEL, example_year
from trimtab.testing.memory_store import memory_store


@pytest.fixture(scope="session")
def year_store() -> Store:
    store = memory_store()
    example_year(store, days=120)
    return store


@pytest.fixture(scope="session")
def client(year_store: Store) -> Iterator[TestClient]:
    """Asks for pages; a failing page is a 500 here as it is for a browser."""
    with asked(
        year_store,
        project_name="flights & more",
        models=[MODEL, "not_yet"],
        prediction_url="http://127.0.0.1:8600",
        allowed_hosts=["models.example"],
    ) as client:
        yield client
