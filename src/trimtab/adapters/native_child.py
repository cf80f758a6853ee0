"""The child process of the native runtime: holds one estimator and answers rows until its parent hangs up."""

import json
import os
import sys
import warnings
from typing import Any

from trimtab.adapters.estimator_answer import estimator_answer
from trimtab.adapters.native_frame import ANSWERS, FAILED, LOAD, READY, ROWS, array, frame, read_frame


def main() -> None:
    """Serve frames from standard input to what was standard output."""
    # Libraries print: what they print goes to standard error and cannot be taken for an answer.
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    estimator, task, names = None, "", None
    while (message := read_frame(sys.stdin.buffer)) is not None:
        kind, rows, columns, content = message
        try:
            if kind == LOAD:
                estimator, task, names = _load(content)
                reply = frame(READY)
            elif kind == ROWS:
                reply = _answer(estimator, task, names, array(content, rows, columns, "<f4"))
            else:
                reply = frame(FAILED, f"no such message: {kind!r}".encode())
        except Exception as error:  # whatever the estimator raises is the parent's to tell
            reply = frame(FAILED, f"{type(error).__name__}: {error}".encode()[:4000])
        _send(replies, reply)


def _load(content: bytes) -> tuple[Any, str, list[str] | None]:
    from trimtab.adapters.estimator_file import read_estimator

    head, _, stored = content.partition(b"\n")
    told = json.loads(head)
    estimator = read_estimator(stored, told["trusted_types"])
    known = getattr(estimator, "feature_names_in_", None)
    return estimator, told["task"], None if known is None else [str(name) for name in known]


def _answer(estimator: Any, task: str, names: list[str] | None, rows: Any) -> bytes:
    import numpy as np

    answers = np.ascontiguousarray(estimator_answer(estimator, task, rows, names), dtype="<f8")
    return frame(ANSWERS, answers.tobytes(), len(answers), answers.shape[1] if answers.ndim == 2 else 0)


def _send(replies: Any, reply: bytes) -> None:
    view = memoryview(reply)
    while view:
        view = view[replies.write(view) :]


if __name__ == "__main__":
    main()
