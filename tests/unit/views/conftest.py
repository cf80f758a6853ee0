"""A made-up year, folded once for all tests of the views."""

import pytest

from trimtab.engine.store import Store
from trimtab.testing.example_year import example_year
from trimtab.testing.memory_store import memory_store
from trimtab.views.memory import Memory


@pytest.fixture(scope="session")
def year_store() -> Store:
    """120 windows: drift and a promotion after a third of them, a roll-back after two thirds."""
    store = memory_store()
    example_year(store, days=120)
    return store


@pytest.fixture(scope="session")
def year(year_store: Store) -> Memory:
    """The year, remembered. Tests read it and write nothing."""
    memory = Memory(year_store)
    memory.refresh()
    return memory
