"""Experiments: named groups of runs."""

import secrets
from typing import Any

from trimtab.atoms.actor import Actor
from trimtab.atoms.content.change import Change
from trimtab.atoms.error import Conflict, NotThere, UsageError
from trimtab.atoms.run import Experiment
from trimtab.atoms.run_query import Page, Query
from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex
from trimtab.tracking.decision import decide_change
from trimtab.tracking.fold import EXPERIMENT
from trimtab.tracking.follow import Follower
from trimtab.tracking.rule import require_name, require_tags

_MOST_DIGITS = 64


class Experiments:
    """Makes, changes and finds experiments. Every reading method sees all that was acknowledged before it."""

    def __init__(self, store: Store, index: RunIndex, follower: Follower) -> None:
        self._store, self._index, self._follower = store, index, follower

    def create(self, name: str, *, by: Actor, tags: dict[str, str] | None = None, id: str = "") -> Experiment:
        """Make an experiment.

        Args:
            id: Digits; empty: a new one.

        Raises:
            UsageError: The name is empty or over 500 characters, or the id or a tag breaks a rule.
            Conflict: There is one of this name, deleted or not, or of this id.
        """
        name, tags = require_name(name, "experiment"), tags or {}
        require_tags(tags)
        if id and not (id.isascii() and id.isdigit() and len(id) <= _MOST_DIGITS):
            raise UsageError(f"experiment {id[:80]!r}: an id is 1 to {_MOST_DIGITS} digits")
        self._follower.catch_up()
        if id and self._index.experiments.find(id) is not None:
            raise Conflict(f"there is an experiment {id} already: give another id, or none")
        self._require_free(name)
        id = id or str(10**17 + secrets.randbelow(9 * 10**17))
        self._decide("create", id, {"name": name, "tags": tags}, by)
        self._follower.catch_up()
        made = self._index.experiments.find(id)
        if made is None or made.name != name:  # another one was faster, at this very moment
            self._require_free(name)
            raise Conflict(f"there is an experiment {id} already: give another id, or none")
        return made

    def get_or_create(self, name: str, *, by: Actor) -> Experiment:
        """The experiment of this name, made where there is none; Conflict where it is deleted."""
        name = require_name(name, "experiment")
        self._follower.catch_up()
        found = self._index.experiments.named(name)
        if found is None:
            try:
                return self.create(name, by=by)
            except Conflict:
                found = self.named(name)
        if found.deleted:
            raise Conflict(f"experiment {name!r} is deleted: restore it, or choose another name")
        return found

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
            UsageError: The name or a tag breaks a rule.
        """
        before = self.find(experiment)
        values: dict[str, Any] = {}
        if name is not None and (name := require_name(name, "experiment")) != before.name:
            self._require_free(name)
            values["name"] = name
        if deleted is not None and deleted != before.deleted:
            values["deleted"] = deleted
        if tags:
            require_tags(tags)
            values["tags"] = tags
        if not values:
            return before
        self._decide("change", experiment, values, by)
        after = self.find(experiment)
        if "name" in values and after.name != name:
            self._require_free(str(name))
        return after

    def find(self, experiment: str) -> Experiment:
        """The experiment with this id, deleted or not; NotThere."""
        self._follower.catch_up()
        found = self._index.experiments.find(experiment)
        if found is None:
            raise NotThere(f"no experiment has the id {experiment[:80]!r}")
        return found

    def named(self, name: str) -> Experiment:
        """The experiment with this name, deleted or not; white space around it means nothing. NotThere."""
        self._follower.catch_up()
        found = self._index.experiments.named(name.strip())
        if found is None:
            raise NotThere(f"no experiment is called {name[:80]!r}")
        return found

    def search(self, query: Query) -> Page[Experiment]:
        """See the port."""
        self._follower.catch_up()
        return self._index.experiments.search(query)

    def _require_free(self, name: str) -> None:
        found = self._index.experiments.named(name)
        if found is not None:
            state = "is deleted: restore it" if found.deleted else "is there: use it"
            raise Conflict(f"experiment {name!r} (id {found.id}) {state}, or choose another name")

    def _decide(self, does: str, experiment: str, values: dict[str, Any], by: Actor) -> None:
        change = Change(what=EXPERIMENT, id=experiment, does=does, values=values)
        decide_change(self._store, f"{does}-{EXPERIMENT}", [change], by=by, subject=experiment)
