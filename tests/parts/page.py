"""The control plane's whole application over a store, asked in this process as a browser on this machine asks it."""

from typing import Any

from starlette.testclient import TestClient

from trimtab.engine.store import Store
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.tracking.tracking import open_tracking
from trimtab.web.access.table import Table
from trimtab.web.application import application

HOME = "http://127.0.0.1:8500"


def shown(store: Store, **words: Any) -> Table:
    """The application; `words` as it takes them."""
    return application(store, open_tracking(store, MemoryRunIndex()), **{"project_name": "flights", **words})


def asked(store: Store, **words: Any) -> TestClient:
    """A client of it; a failing page is a 500 here as it is for a browser."""
    return TestClient(shown(store, **words), base_url=HOME, raise_server_exceptions=False)


def read_page(client: TestClient, path: str, status: int = 200) -> str:
    """A page as a browser asks for it."""
    answer = client.get(path, headers={"accept": "text/html"})
    assert answer.status_code == status, answer.text
    return answer.text
