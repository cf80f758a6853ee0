"""The executor's suite in a process of its own and in this one."""

import pytest

from trimtab.adapters.local_process import LocalProcess
from trimtab.testing.executor_suite import ExecutorCalls, MakeExecutor
from trimtab.testing.in_process import InProcess


@pytest.fixture(params=[LocalProcess, InProcess])
def make(request: pytest.FixtureRequest) -> MakeExecutor:
    made: MakeExecutor = request.param
    return made


class TestCalls(ExecutorCalls):
    pass
