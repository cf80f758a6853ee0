"""Runs: their beginning, their end, and finding them."""

from trimtab.atoms.actor import Actor
from trimtab.atoms.run import DEFAULT_EXPERIMENT, Run, RunStatus
from trimtab.atoms.run_query import Page, Query
from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex
from trimtab.tracking.follow import Follower


class Runs:
    """A run is an Action: opened here, and closed with its sealed run log. Readings see all that was acknowledged."""

    def __init__(self, store: Store, index: RunIndex, follower: Follower) -> None:
        self._store, self._index, self._follower = store, index, follower

    def open(
        self,
        experiment: str = DEFAULT_EXPERIMENT,
        *,
        by: Actor,
        run: str = "",
        started_ms: int | None = None,
        tags: dict[str, str] | None = None,
        parameters: dict[str, str] | None = None,
    ) -> Run:
        """Begin a run.

        Args:
            experiment: Its id.
            run: Its id: a letter or digit, then up to 255 of these, `_` and `-`; empty: a new one. Opening the same run
                again, by the same actor in the same experiment, gives the run that is there.
            tags: `mlflow.runName` is made up where it is not given.

        Raises:
            NotThere: No such experiment.
            Conflict: The experiment is deleted, or the id is taken.
        """
        raise NotImplementedError

    def close(
        self, run: str, status: RunStatus, *, by: Actor, ended_ms: int | None = None, note: str = ""
    ) -> Run:
        """End a run and seal its run log. A run that ended already gets the new end, and a new seal.

        Raises:
            NotThere: No such run.
            Conflict: It is deleted, or made by the engine.
        """
        raise NotImplementedError

    def resume(self, run: str, *, by: Actor) -> Run:
        """Let a run that ended go on; one that has not ended is no error. Errors as `close`."""
        raise NotImplementedError

    def set_deleted(self, run: str, deleted: bool, *, by: Actor) -> Run:
        """Delete a run, so that only those who ask for deleted ones find it, or restore it; NotThere."""
        raise NotImplementedError

    def find(self, run: str) -> Run:
        """The run with this id, deleted or not; NotThere."""
        raise NotImplementedError

    def search(self, query: Query) -> Page[Run]:
        """See the port."""
        raise NotImplementedError

    def count(self, query: Query) -> int:
        """See the port."""
        raise NotImplementedError
