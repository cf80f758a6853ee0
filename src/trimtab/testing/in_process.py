"""The executor port without a process."""

import importlib
import json
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from trimtab.atoms.error import ExecutorDied, TrimtabError, UsageError


class InProcess:
    """Calls the function here; what goes in and out still passes through JSON, as to a process."""

    def call(
        self, function: str, arguments: dict[str, Any], on_line: Callable[[str], None] | None = None
    ) -> Any:
        """See the port."""
        given = json.loads(json.dumps(arguments, allow_nan=False))
        module, _, name = function.partition(":")
        try:
            found = getattr(importlib.import_module(module), name)
        except (ModuleNotFoundError, AttributeError, ValueError) as error:
            raise UsageError(f"{function!r} names no function: {error}") from error
        printed = StringIO()
        try:
            with redirect_stdout(printed):
                result = json.loads(json.dumps(found(**given), allow_nan=False))
        except TrimtabError:
            raise
        except Exception as error:
            raise ExecutorDied(f"{function} ended: {type(error).__name__}: {error}") from error
        finally:
            for line in printed.getvalue().splitlines():
                if on_line is not None:
                    on_line(line)
        return result
