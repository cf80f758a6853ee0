"""MLflow's protocol over a store in memory."""

import pytest

from parts.mlflow_caller import Mlflow
from parts.page import asked
from trimtab.testing.memory_store import memory_store


@pytest.fixture
def mlflow() -> Mlflow:
    return Mlflow(asked(memory_store()))
