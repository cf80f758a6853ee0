"""The logbook: what runs and logged models say about themselves, durable before it is acknowledged."""

from collections.abc import Sequence
from concurrent.futures import Future

from trimtab.atoms.metric_point import Points
from trimtab.atoms.run_event import RunEvent
from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex
from trimtab.tracking.follow import Follower


class Logbook:
    """The one way by which anything gets into the stream of run events."""

    def __init__(self, store: Store, index: RunIndex, follower: Follower) -> None:
        self._store, self._index, self._follower = store, index, follower

    def log(self, event: RunEvent) -> None:
        """Log an event; durable when it returns.

        Raises:
            NotThere: No run or logged model has the owner's id.
            Conflict: The owner is deleted, or a parameter has another value already (nothing was logged).
            UsageError: A key or a value breaks a rule: the message names it.
        """
        self.log_nowait([event])[0].result()

    def log_nowait(self, events: Sequence[RunEvent]) -> list["Future[None]"]:
        """As `log`, of many events at once, without waiting for the disk: a future each, done when it is durable.

        An event that is refused has its error in its future; the others are logged all the same. Cheap where an event
        has only points and its owner is known to live: nothing is read then, so an event loop may call it.
        """
        raise NotImplementedError

    def points(self, run: str, metric: str) -> Points:
        """Every point of one metric, as acknowledged up to now; NotThere where there is no such run."""
        raise NotImplementedError
