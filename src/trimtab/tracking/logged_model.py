"""Logged models: what a client stored as a model. Compared with others, and never loaded or served here."""

from trimtab.atoms.actor import Actor
from trimtab.atoms.run import LoggedModel, ModelStatus
from trimtab.atoms.run_query import Page, Query
from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex
from trimtab.tracking.follow import Follower


class LoggedModels:
    """Makes, ends and finds logged models; their files and tags come through the logbook."""

    def __init__(self, store: Store, index: RunIndex, follower: Follower) -> None:
        self._store, self._index, self._follower = store, index, follower

    def create(
        self,
        experiment: str,
        *,
        by: Actor,
        name: str = "",
        type: str = "",
        run: str = "",
        parameters: dict[str, str] | None = None,
        tags: dict[str, str] | None = None,
        id: str = "",
    ) -> LoggedModel:
        """Begin a logged model, PENDING until it is finished; a name is made up where none is given.

        Raises:
            NotThere: No such experiment or run.
            Conflict: The experiment is deleted, or the id is taken.
        """
        raise NotImplementedError

    def finish(self, model: str, status: ModelStatus, *, by: Actor, note: str = "") -> LoggedModel:
        """Say that it is READY or FAILED; READY seals its files into an artifact. NotThere."""
        raise NotImplementedError

    def delete(self, model: str, *, by: Actor) -> None:
        """Delete it; NotThere."""
        raise NotImplementedError

    def find(self, model: str) -> LoggedModel:
        """The logged model with this id; NotThere where there is none, or it is deleted."""
        raise NotImplementedError

    def search(self, query: Query) -> Page[LoggedModel]:
        """See the port."""
        raise NotImplementedError
