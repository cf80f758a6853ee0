"""MLflow's protocol over a store in memory."""

from collections.abc import Iterator

import pytest

from parts.mlflow_caller import Mlflow
from parts.page import asked
from trimtab.testing.memory_store import memory_store


@pytest.fixture
def mlflow() -> Iterator[Mlflow]:
    with asked(memory_store()) as client:  # else each request begins an event loop of its own
        yield Mlflow(client)
