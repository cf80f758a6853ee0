"""Where heavy work runs."""

from collections.abc import Callable
from typing import Any, Protocol


class Executor(Protocol):
    """Contract: the call runs to its end or raises; arguments and results are JSON values, never pickles.

    A call whose process dies raises `ExecutorDied`, with what it last said.
    """

    def call(
        self, function: str, arguments: dict[str, Any], on_line: Callable[[str], None] | None = None
    ) -> Any:
        """Run `package.module:function` with keyword arguments; `on_line` gets each line of progress that it prints."""
        ...
