"""The way that a run's record takes; a run does not know which one it is."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from trimtab.atoms.run import RunStatus
from trimtab.atoms.run_event import RunEvent

#: Bytes of a file that are held in memory at once.
_CHUNK_BYTES = 1 << 20


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run when it begins, or goes on."""

    run: str
    #: Name of its experiment; empty: the default one, or the one that it is in.
    experiment: str = ""
    #: Whether it may be there already, and then goes on.
    resumes: bool = False
    started_ms: int
    #: What its caller said, which holds also where it goes on.
    tags: Mapping[str, str] = {}
    #: Tags of a run that is new; `tags` go before.
    first_tags: Mapping[str, str] = {}
    parameters: Mapping[str, str] = {}


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The run that began."""

    run: str
    #: What people call it; empty where only the server knows.
    name: str = ""
    #: Its experiment, an id or a name; empty where only the server knows.
    experiment: str = ""
    #: The step after the newest one of each metric that it has.
    next_steps: Mapping[str, int] = {}


class Way(Protocol):
    """Contract:

    - What `begin`, `log`, `put` and `end` were given is durable when they return: in the store, or in a spool on this
      machine that reaches the server some time. A process that is killed right after loses nothing of it.
    - The remote way never waits for the network but in `begin` (a second at most) and `settle`.
    - Any number of threads may call; calls of one thread take effect in their order.
    - StoreError: what was given could not be kept, and may be given again. UsageError: it never will be.
    """

    @property
    def place(self) -> object:
        """Where records go; equal for two ways to one place."""
        ...

    def begin(self, beginning: Beginning) -> Begun:
        """Begin a run, or let it go on.

        Raises:
            UsageError: It cannot begin so, or nobody lets this process in; the message says why.
        """
        ...

    def log(self, event: RunEvent) -> None:
        """Keep what was logged at one time; taking it twice changes nothing."""
        ...

    def put(self, run: str, path: str, content: Path | bytes) -> None:
        """Keep a file under a logical path."""
        ...

    def end(self, run: str, status: RunStatus, *, ended_ms: int, note: str) -> None:
        """End a run."""
        ...

    def settle(self, patience_s: float) -> str:
        """Wait until everything has arrived where it belongs; says why something waits still, or nothing."""
        ...

    def close(self) -> None:
        """This run needs the way no more; what other runs share stays open for them."""
        ...


def chunks_of(content: Path | bytes) -> Iterator[bytes]:
    """The bytes of a file, a piece at a time."""
    if isinstance(content, bytes):
        for first in range(0, len(content), _CHUNK_BYTES):
            yield content[first : first + _CHUNK_BYTES]
        return
    with content.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
