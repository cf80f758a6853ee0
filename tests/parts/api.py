"""The API over a store, asked in this process as a client on this machine asks it."""

from dataclasses import dataclass

from starlette.testclient import TestClient

from trimtab.atoms.actor import Actor
from trimtab.engine.store import Store
from trimtab.testing.memory_run_index import MemoryRunIndex
from trimtab.tracking.tracking import Tracking, open_tracking
from trimtab.views.memory import Memory
from trimtab.web.access.gate import Gate
from trimtab.web.access.table import Table
from trimtab.web.api.route_list import api_routes

HERE = "http://127.0.0.1:8500"


@dataclass(frozen=True)
class Api:
    """A server and what stands behind it."""

    client: TestClient
    store: Store
    tracking: Tracking

    def restarted(self) -> "Api":
        """Another process over the same store."""
        return served(self.store)


def served(store: Store, by: str = "person:ada") -> Api:
    """The API of a store, asked by whoever is on this machine."""
    tracking = open_tracking(store, MemoryRunIndex())
    table = Table(api_routes(Memory(store), tracking, "flights"), gate=Gate("flights", local=Actor(by=by)))
    return Api(TestClient(table, base_url=HERE, raise_server_exceptions=False), store, tracking)
