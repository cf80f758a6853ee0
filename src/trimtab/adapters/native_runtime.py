"""The native runtime: the training library itself, in a child process whose crash harms nobody else."""

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from trimtab.adapters.native_frame import ANSWERS, FAILED, LOAD, READY, ROWS, array, frame, read_frame
from trimtab.atoms.error import ExecutorDied, ModelRefused, TrimtabError
from trimtab.ports.model_runtime import Array

#: Longest that a child may take to load its estimator, or to answer one call, in seconds.
PATIENCE_SECONDS = 120.0


class NativeRuntime:
    """Opens estimators stored by `estimator_file`, each in a process of its own."""

    name = "native"

    def __init__(
        self, trusted_types: Collection[str] = (), patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._trusted_types = tuple(trusted_types)
        self._patience = patience_seconds

    def load(self, graph: bytes, task: str) -> "NativeModel":
        """Make the estimator in `graph` ready to answer.

        Raises:
            ModelRefused: The bytes are no stored estimator, or hold a type that is not on the list.
        """
        told = json.dumps({"task": task, "trusted_types": self._trusted_types}).encode()
        return NativeModel(frame(LOAD, told + b"\n" + graph), self._patience)


class NativeModel:
    """An estimator in a child process; calls from several threads take turns.

    Where the child died it is started again and the call repeated, once; then the call fails with its last
    words.
    """

    def __init__(self, load: bytes, patience_seconds: float) -> None:
        self._load = load
        self._patience = patience_seconds
        self._lock = threading.Lock()
        self._child: _Child | None = self._start()

    @property
    def pid(self) -> int | None:
        """Process id of the child; None where none runs."""
        return None if self._child is None else self._child.process.pid

    def answer(self, rows: Array) -> Array:
        """Probabilities (n, classes) or values (n,), float64.

        Raises:
            ModelRefused: The estimator raised on these rows.
            ExecutorDied: The child died or hung on these rows, twice.
        """
        import numpy as np

        block = np.ascontiguousarray(rows, dtype="<f4")
        asked = frame(ROWS, block.tobytes(), block.shape[0], block.shape[1])
        with self._lock:
            try:
                kind, height, width, content = self._ask(asked)
            except ExecutorDied:
                kind, height, width, content = self._ask(asked)
        if kind == FAILED:
            raise ModelRefused(f"the model cannot answer these rows: {content.decode(errors='replace')}")
        if kind != ANSWERS:
            raise ExecutorDied(f"the model's process said {kind!r} where answers were due")
        return array(content, height, width, "<f8")

    def close(self) -> None:
        """End the child process."""
        with self._lock:
            if self._child is not None:
                self._child.end()
                self._child = None

    def _ask(self, message: bytes) -> tuple[bytes, int, int, bytes]:
        if self._child is None:
            self._child = self._start()
        try:
            return self._child.ask(message, self._patience)
        except ExecutorDied:
            self._child.end()
            self._child = None
            raise

    def _start(self) -> "_Child":
        child = _Child()
        try:
            kind, _, _, content = child.ask(self._load, self._patience)
            if kind != READY:
                raise _refusal(content.decode(errors="replace"))
        except TrimtabError:
            child.end()
            raise
        return child


def _refusal(said: str) -> ModelRefused:
    return ModelRefused(said.removeprefix("ModelRefused: "))


class _Child:
    """One child process and the pipes to it."""

    def __init__(self) -> None:
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
        package = str(Path(__file__).resolve().parents[2])
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trimtab.adapters.native_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            bufsize=0,
            # One thread: a served row has nothing to divide, and tree libraries crawl where threads outnumber
            # cores.
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # Ctrl-C goes to the server, which ends the child when it has drained
        )

    def ask(self, message: bytes, patience: float) -> tuple[bytes, int, int, bytes]:
        """Send a message and wait for the reply; ExecutorDied where none comes."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            _write_all(self.process.stdin, message)
        except OSError as error:
            raise ExecutorDied(f"the model's process has ended{self._last_words()}") from error
        deadline = time.monotonic() + patience
        reply = read_frame(_Patient(self.process.stdout, deadline))
        if reply is not None:
            return reply
        if time.monotonic() >= deadline:
            raise ExecutorDied(f"the model's process gave no answer within {patience:g} s and was ended")
        raise ExecutorDied(f"the model's process ended in the middle of a call{self._last_words()}")

    def end(self) -> None:
        """Kill the process and wait until it is gone."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._words):
            if stream is not None:
                stream.close()

    def _last_words(self) -> str:
        self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, self._words.tell() - 500))
        said = self._words.read().decode(errors="replace").strip()
        return f"; it last said: {said}" if said else ""


class _Patient:
    """A pipe that reads as if it had ended once the deadline is over."""

    def __init__(self, pipe: Any, deadline: float) -> None:
        self._pipe = pipe
        self._deadline = deadline
        self._ready = select.poll()  # and not select(), which cannot watch descriptors beyond 1,023
        self._ready.register(pipe, select.POLLIN)

    def read(self, size: int) -> bytes:
        left_ms = max(0.0, self._deadline - time.monotonic()) * 1000
        return bytes(self._pipe.read(size)) if self._ready.poll(left_ms) else b""


def _write_all(stream: Any, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[stream.write(view) :]
