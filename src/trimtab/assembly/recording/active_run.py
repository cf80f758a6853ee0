"""A run that is being recorded."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from pathlib import Path
from time import time_ns
from types import TracebackType
from typing import Any, Literal, Self

from trimtab.assembly.recording.dataset import describe
from trimtab.assembly.recording.outlet import Outlet
from trimtab.assembly.recording.redaction import redacted
from trimtab.assembly.recording.way import Begun
from trimtab.atoms.error import TrimtabError, UsageError
from trimtab.atoms.run import NOTE_TAG, RunStatus
from trimtab.tracking.rule import require_parameters, require_path, require_tags

_LOG = logging.getLogger("trimtab")
#: Characters of an end's note that are kept.
_MOST_NOTE = 2000

#: The innermost run of this thread or task whose `with` block is open.
_ACTIVE: ContextVar["ActiveRun | None"] = ContextVar("trimtab_run", default=None)


def active_run() -> "ActiveRun | None":
    """The innermost run whose `with` block is open in this thread or task; None where there is none."""
    run = _ACTIVE.get()
    while run is not None and run.ended:
        run = run._outer
    return run


class ActiveRun:
    """What `trimtab.run()` gives: log to it, and end it, best by leaving its `with` block.

    Besides the methods here it has `metric(name, value, step=None)`, `metrics({...}, step=None)` and
    `series(name, steps, values)`. These return in microseconds; their points are acknowledged, and outlive whatever
    happens to this process, when `flush()` or the end of the run has returned. Everything else is when it returns:
    in the project's store, or with a server in a spool on this machine, from where it reaches the server by itself.

    Threads may log to one run at the same time.
    """

    def __init__(self, begun: Begun, outlet: Outlet, *, joined: bool = False) -> None:
        """
        Args:
            begun: The run.
            outlet: Takes what is logged.
            joined: It was begun by another process, which ends it: here it is only added to.
        """
        #: Its id; `trimtab.run(id=...)` with it lets the run go on.
        self.id = begun.run
        #: What people call it.
        self.name = begun.name
        #: Its experiment, which a run in it is in too: an id, or a name; empty where that is not known here.
        self.experiment = begun.experiment
        self._outlet = outlet
        #: It was begun by another process, which ends it.
        self.joined = joined
        self._pid = os.getpid()
        self._ending = threading.RLock()
        #: Is called when the run ends: stops what samples the machine, waits for what is still being captured.
        self.before_end: list[Callable[[], None]] = []
        self._token: Token[ActiveRun | None] | None = None
        self._outer: ActiveRun | None = None
        #: Whether it has ended in this process.
        self.ended = False
        self.metric = outlet.points.metric
        self.metrics = outlet.points.metrics
        self.series = outlet.points.series

    @property
    def place(self) -> object:
        """Where it is recorded; equal for two runs of one store or server."""
        return self._outlet.way.place

    def parameters(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> None:
        """Set parameters, once each: `run.parameters(depth=3)` or `run.parameters({"depth": 3})`.

        Raises:
            UsageError: A name or a value breaks a rule (1 to 250 and up to 6,000 characters).
            Conflict: One has another value already; none was set. A server says so later, in a warning.
        """
        told = {str(name): str(value) for name, value in {**(values or {}), **named}.items()}
        require_parameters(told)
        self._outlet.log(parameters=told)

    def tag(self, name: str, value: Any) -> None:
        """Set a tag, over the value that it had; None takes it away."""
        told = {str(name): None if value is None else str(value)}
        require_tags(told)
        self._outlet.log(tags=told)

    def note(self, text: str) -> None:
        """Say in words, Markdown if you like, what this run is; in place of what was said before."""
        self.tag(NOTE_TAG, text)

    def file(
        self, content: str | os.PathLike[str] | bytes, *, as_: str | os.PathLike[str] | None = None
    ) -> None:
        """Keep a file, a folder with all in it, or bytes.

        A link to a file is kept as the file that it leads to. In a folder, links to folders and those that lead nowhere
        are left out, and so are folders without a file.

        Args:
            content: A path, or the bytes themselves.
            as_: Its path in the run, such as `plots/roc.png`; None: the name of the file or folder. Bytes need one.

        Raises:
            UsageError: There is no such file, or the path in the run breaks a rule.
        """
        if isinstance(content, (bytes, bytearray, memoryview)):
            if as_ is None:
                raise UsageError(
                    "bytes have no name: say what to keep them as: run.file(content, as_='notes.txt')"
                )
            self._outlet.put(require_path(os.fspath(as_)), bytes(content))
            return
        place = Path(content)
        name = os.path.basename(os.path.abspath(place)) if as_ is None else os.fspath(as_)
        if place.is_dir():
            inside = sorted(path for path in place.rglob("*") if path.is_file())
            paths = [require_path(f"{name}/{path.relative_to(place).as_posix()}") for path in inside]
            for path, logical in zip(inside, paths, strict=True):
                self._outlet.put(logical, path)
        elif place.is_file():
            self._outlet.put(require_path(name), place)
        elif place.exists():
            raise UsageError(f"{place}: it is neither a file nor a folder")
        else:
            raise UsageError(f"{place}: there is no such file or folder")

    def dataset(self, data: Any, *, name: str | None = None, context: str = "training") -> None:
        """Say which data the run reads: its name, digest, columns and counts are kept, never the rows.

        Args:
            data: A frame of pandas or polars, a NumPy array, the path of a file or a folder, or the id of a snapshot.
            name: What to call it; None: the name of the file, or `dataset`.
            context: What it is read for, such as `training` or `validation`.

        Raises:
            UsageError: It is none of these.
        """
        self._outlet.log(datasets=(describe(data, name, context),))

    def flush(self) -> None:
        """Return when everything logged so far is durable: in the store, or with a server in the spool.

        Raises:
            StoreError: Something is not; it waits still, and another flush may help.
            UsageError: Something was refused for good; the message says what.
        """
        self._outlet.points.flush()

    def end(self, status: Literal["FINISHED", "FAILED", "KILLED"] = "FINISHED", *, note: str = "") -> None:
        """End the run: everything is durable when it returns. Ending it again does nothing.

        With a server it also waits for what is on its way there, as long as the server takes something every second.

        Args:
            note: Why it ended so, for people; what is longer than 2,000 characters is cut.

        Raises:
            UsageError: The status is none of these, or something that was logged is refused for good.
        """
        ends = _ending_status(status)
        with self._ending:
            if self.ended:
                return
            for stop in self.before_end:
                stop()
            refused = self._refusal(self._outlet.points.close)
            if not self.joined and self._pid == os.getpid():
                refused = self._refusal(lambda: self._tell_end(ends, note)) or refused
            self.ended = True
            self._outlet.close()
            if refused is not None:
                raise refused

    def _tell_end(self, status: RunStatus, note: str) -> None:
        ended_ms = time_ns() // 1_000_000
        # What cannot be written as UTF-8 is in an exception's message, not in what a person wants to say.
        kept = str(note or "")[:_MOST_NOTE].encode(errors="backslashreplace").decode()
        self._outlet.way.end(self.id, status, ended_ms=ended_ms, note=kept)

    def _refusal(self, last: Callable[[], None]) -> UsageError | None:
        """What is refused for good, as of a run that somebody deleted, does not keep the run from ending here."""
        try:
            last()
        except UsageError as error:
            return error
        return None

    def __enter__(self) -> Self:
        self._outer = _ACTIVE.get()
        self._token = _ACTIVE.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            try:
                _ACTIVE.reset(self._token)
            except ValueError:  # the block is left in another context than it was entered in
                _ACTIVE.set(self._outer)
            self._token = None
        status, note = _end_of(error)
        try:
            self.end(status, note=note)
        except TrimtabError as trouble:
            if error is None:
                raise
            error.add_note(f"The end of run {self.id} could not be recorded: {trouble}")

    def __reduce__(self) -> Any:
        raise TypeError(
            f"run {self.id} cannot be sent to another process: set TRIMTAB_RUN={self.id} there, and what it logs with "
            "its own trimtab.run() is added"
        )

    def __repr__(self) -> str:
        return f"<trimtab run {self.name or self.id} ({self.id}){' ended' if self.ended else ''}>"


def _end_of(error: BaseException | None) -> tuple[Literal["FINISHED", "FAILED", "KILLED"], str]:
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return "FINISHED", ""
    kind = type(error).__name__
    try:
        said = str(error)
    except Exception:  # an exception of somebody's own that cannot say what it is
        said = ""
    note = redacted(f"{kind}: {said}" if said else kind)
    return ("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"), note


def end_at_exit(run: "ActiveRun") -> None:
    """End a run that nobody ended when the interpreter ends: FAILED where an exception ended it."""
    status, note = _end_of(getattr(sys, "last_value", None))
    try:
        run.end(status, note=note)
    except TrimtabError as trouble:
        _LOG.warning("the end of run %s could not be recorded: %s", run.id, trouble)


def _ending_status(word: str) -> RunStatus:
    if word not in ("FINISHED", "FAILED", "KILLED"):
        raise UsageError(f"{word!r} is no end of a run: give FINISHED, FAILED or KILLED")
    return RunStatus(word)
