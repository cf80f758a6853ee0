"""The user's model function, called so that what goes wrong in it is told in one sentence."""

import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trimtab.atoms.error import TrimtabError, UsageError


def call_user(
    function: Callable[..., Any], *arguments: Any, where: str, project: Callable[..., Any] | None = None
) -> Any:
    """Call code that the user wrote or chose.

    Args:
        where: What was being done, such as `model 'late': its function`.
        project: The function of the project that is to blame for what `function` does; `function` by default.

    Raises:
        UsageError: It raised; names file, line and the exception's own words, without a traceback.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a library's advice must not stop a loop that runs by night
            return function(*arguments)
    except TrimtabError:
        raise
    except Exception as error:
        place = _place(error, project or function)
        raise UsageError(f"{where} failed{place}: {type(error).__name__}: {_words(error)}") from error


def _place(error: Exception, project: Callable[..., Any]) -> str:
    """The innermost line of the project's own files that the exception came through."""
    code = getattr(project, "__code__", None)
    if code is None:
        return ""
    folder = Path(code.co_filename).resolve().parent
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename).resolve()
        if path.is_relative_to(folder) and "site-packages" not in path.parts:
            return f" at {path.name}:{frame.lineno}"
    return f" at {Path(code.co_filename).name}:{code.co_firstlineno}"


def _words(error: Exception) -> str:
    """The exception's message, in one line of readable length."""
    text = " ".join(str(error).split())
    return text if len(text) <= 400 else text[:397] + "..."
