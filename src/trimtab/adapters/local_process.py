"""Heavy work in a fresh process: its memory is given back, and its crash takes nobody along."""

import contextlib
import importlib
import json
import os
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from typing import IO, Any

from trimtab.atoms import error as errors
from trimtab.atoms.error import ExecutorDied, TrimtabError, UsageError

#: Lines of its error output that the message about a dead process quotes.
LAST_LINES = 20
#: Variables by which numeric libraries take their number of threads.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


class LocalProcess:
    """Contract of the port, with one child process a call, which ends when this process does.

    Arguments go in on the child's standard input, the result comes back on a pipe of its own; what the
    function prints is progress. The child finds modules where this process does.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Give children this environment (this process's own where None).

        `TRIMTAB_THREADS=n` in it limits the threads of numeric libraries, unless their own variable is set.
        """
        self._environment = dict(os.environ if environment is None else environment)
        if threads := self._environment.get("TRIMTAB_THREADS"):
            for name in _THREADS:
                self._environment.setdefault(name, threads)

    def call(
        self, function: str, arguments: dict[str, Any], on_line: Callable[[str], None] | None = None
    ) -> Any:
        """See the port.

        Raises:
            TrimtabError: The function raised one: the same class with the same message.
            ExecutorDied: It raised something else, or the process ended; the message has its last words.
        """
        request = json.dumps({"function": function, "arguments": arguments}, allow_nan=False).encode()
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as results:
            try:
                child = self._start(writing)
            finally:
                os.close(writing)
            last: deque[str] = deque(maxlen=LAST_LINES)
            readers = [_listen(child.stdout, on_line or _nothing), _listen(child.stderr, last.append)]
            try:
                with contextlib.suppress(BrokenPipeError):  # it died first: the missing result says so
                    _pipe(child.stdin).write(request + b"\n")
                    _pipe(child.stdin).flush()
                result = results.read()
                status = child.wait()
            finally:
                child.kill()
                child.wait()
                for reader in readers:
                    reader.join(timeout=1.0)  # a grandchild may hold the pipe open for longer
                for stream in (child.stdin, child.stdout, child.stderr):
                    with contextlib.suppress(BrokenPipeError):
                        _pipe(stream).close()
        return _outcome(function, result, status, last)

    def _start(self, writing: int) -> subprocess.Popen[bytes]:
        paths = [path or os.getcwd() for path in sys.path]
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "trimtab.adapters.local_process", str(writing)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(writing,),
            env={**self._environment, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"},
        )


def _outcome(function: str, result: bytes, status: int, last: deque[str]) -> Any:
    try:
        answer = json.loads(result)
    except ValueError:
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        said = "\n  ".join(last) or "nothing"
        raise ExecutorDied(
            f"the process that ran {function} ended ({how}); its last words:\n  {said}"
        ) from None
    if "error" in answer:
        raise getattr(errors, answer["error"])(answer["says"])
    return answer["result"]


def _nothing(line: str) -> None:
    """For whoever does not want the progress."""


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ExecutorDied("the process was started without its pipes")
    return stream


def _listen(stream: IO[bytes] | None, on_line: Callable[[str], None]) -> threading.Thread:
    def listen() -> None:
        with contextlib.suppress(ValueError):  # closed under us, as a grandchild held it open
            for line in _pipe(stream):
                on_line(line.decode("utf-8", errors="replace").rstrip("\r\n"))

    thread = threading.Thread(target=listen, name="child-output", daemon=True)
    thread.start()
    return thread


def call_named(function: str, arguments: dict[str, Any]) -> Any:
    """Import and call `package.module:function`; UsageError where there is none."""
    module, colon, name = function.partition(":")
    if not colon or not module or not name:
        raise UsageError(f"{function!r} names no function: write it as `package.module:function`")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ModuleNotFoundError, AttributeError) as error:
        raise UsageError(f"{function!r} cannot be run: {error}") from error
    return found(**arguments)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"result": call_named(request["function"], request["arguments"])}
    except TrimtabError as error:
        known = next(kind for kind in type(error).__mro__ if getattr(errors, kind.__name__, None) is kind)
        return {"error": known.__name__, "says": str(error)}


def _end_with_parent(lifeline: int) -> None:
    """End this process when the other side of its standard input is gone."""
    os.read(lifeline, 1)
    os._exit(1)


def main() -> None:
    """The child: one request, one result."""
    writing = int(sys.argv[1])
    os.set_inheritable(writing, False)
    lifeline = os.dup(0)
    line = bytearray()
    while not line.endswith(b"\n"):
        got = os.read(lifeline, 1 << 16)
        if not got:
            return
        line += got
    # What the function starts must not read our input, nor hold it.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()
    try:
        result = json.dumps(_answer(json.loads(line)), allow_nan=False).encode()
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    with os.fdopen(writing, "wb") as results:
        results.write(result)


if __name__ == "__main__":
    main()
