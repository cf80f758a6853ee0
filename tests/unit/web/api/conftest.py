"""The API over a store in memory."""

import pytest

from parts.api import Api, served
from trimtab.testing.example_year import example_year
from trimtab.testing.memory_store import memory_store


@pytest.fixture
def api() -> Api:
    return served(memory_store())


@pytest.fixture(scope="session")
def year() -> Api:
    """Only read: it is one for all tests."""
    store = memory_store()
    example_year(store, days=75)
    return served(store)
