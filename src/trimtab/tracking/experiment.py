"""Experiments: named groups of runs."""

from trimtab.atoms.actor import Actor
from trimtab.atoms.run import Experiment
from trimtab.atoms.run_query import Page, Query
from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex
from trimtab.tracking.follow import Follower


class Experiments:
    """Makes, changes and finds experiments. Every reading method sees all that was acknowledged before it."""

    def __init__(self, store: Store, index: RunIndex, follower: Follower) -> None:
        self._store, self._index, self._follower = store, index, follower

    def create(self, name: str, *, by: Actor, tags: dict[str, str] | None = None, id: str = "") -> Experiment:
        """Make an experiment.

        Args:
            id: Digits; empty: a new one.

        Raises:
            UsageError: The name is empty or over 500 characters.
            Conflict: There is one of this name, deleted or not, or of this id.
        """
        raise NotImplementedError

    def get_or_create(self, name: str, *, by: Actor) -> Experiment:
        """The experiment of this name, made where there is none; Conflict where it is deleted."""
        raise NotImplementedError

    def change(
        self,
        experiment: str,
        *,
        by: Actor,
        name: str | None = None,
        deleted: bool | None = None,
        tags: dict[str, str | None] | None = None,
    ) -> Experiment:
        """Change what is given. Deleting an experiment deletes its runs with it, and restoring restores them.

        Raises:
            NotThere: No experiment has this id.
            Conflict: Another one has the new name.
        """
        raise NotImplementedError

    def find(self, experiment: str) -> Experiment:
        """The experiment with this id, deleted or not; NotThere."""
        raise NotImplementedError

    def named(self, name: str) -> Experiment:
        """The experiment with this name, deleted or not; NotThere."""
        raise NotImplementedError

    def search(self, query: Query) -> Page[Experiment]:
        """See the port."""
        raise NotImplementedError
