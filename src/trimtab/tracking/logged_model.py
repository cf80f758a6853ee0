"""Logged models: what a client stored as a model. Compared with others, and never loaded or served here."""

import secrets
from collections.abc import Mapping
from typing import Any

from trimtab.atoms.actor import Actor
from trimtab.atoms.artifact import artifact_of
from trimtab.atoms.content.change import Change
from trimtab.atoms.content.content import Content
from trimtab.atoms.error import Conflict, NotThere
from trimtab.atoms.run import LoggedModel, ModelStatus
from trimtab.atoms.run_query import Page, Query
from trimtab.engine.store import Store
from trimtab.ports.run_index import RunIndex
from trimtab.tracking.decision import decide_change
from trimtab.tracking.fold import LOGGED_MODEL
from trimtab.tracking.follow import Follower
from trimtab.tracking.logbook import Logbook
from trimtab.tracking.rule import require_id, require_name, require_parameters, require_tags
from trimtab.tracking.seal import stored_model
from trimtab.tracking.word import made_up_name


class LoggedModels:
    """Makes, ends and finds logged models; their files and tags come through the logbook."""

    def __init__(self, store: Store, index: RunIndex, follower: Follower, logbook: Logbook) -> None:
        self._store, self._index, self._follower, self._logbook = store, index, follower, logbook

    def create(
        self,
        experiment: str,
        *,
        by: Actor,
        name: str = "",
        type: str = "",
        run: str = "",
        parameters: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        id: str = "",
    ) -> LoggedModel:
        """Begin a logged model, PENDING until it is finished; a name is made up where none is given.

        Raises:
            NotThere: No such experiment or run.
            Conflict: The experiment is deleted, or the id is taken.
            UsageError: The id, a name or a value breaks a rule.
        """
        parameters, tags = dict(parameters or {}), dict(tags or {})
        require_parameters(parameters)
        require_tags(tags)
        name = require_name(name, "logged model") if name else made_up_name()
        id = require_id(id, "logged model") if id else f"m-{secrets.token_hex(16)}"
        self._follower.catch_up()
        self._require_room(experiment, run, id)
        values: dict[str, Any] = {
            "experiment": experiment,
            "name": name,
            "type": type,
            "run": run,
            "parameters": parameters,
            "tags": tags,
        }
        self._decide("create", id, values, by)
        return self.find(id)

    def finish(self, model: str, status: ModelStatus, *, by: Actor, note: str = "") -> LoggedModel:
        """Say that it is READY or FAILED; READY seals its files into an artifact. NotThere."""
        self.find(model)
        values: dict[str, Any] = {"status": status.value, "note": note}
        if status is ModelStatus.READY:
            stored = stored_model(self._index.files.under(model))
            values["files"] = artifact_of(stored)[0].id
            self._decide("finish", model, values, by, stored)
        else:
            self._decide("finish", model, values, by)
        return self.find(model)

    def delete(self, model: str, *, by: Actor) -> None:
        """Delete it; NotThere."""
        self.find(model)
        self._decide("delete", model, {}, by)
        self._logbook.owners.forget(model)

    def find(self, model: str) -> LoggedModel:
        """The logged model with this id; NotThere where there is none, or it is deleted."""
        self._follower.catch_up()
        found = self._index.models.find(model)
        if found is None or found.head.deleted:
            raise NotThere(f"no logged model has the id {model[:80]!r}")
        return found

    def search(self, query: Query) -> Page[LoggedModel]:
        """See the port."""
        self._follower.catch_up()
        return self._index.models.search(query)

    def _require_room(self, experiment: str, run: str, id: str) -> None:
        found = self._index.experiments.find(experiment)
        if found is None:
            raise NotThere(f"no experiment has the id {experiment[:80]!r}")
        if found.deleted:
            raise Conflict(f"experiment {found.name!r} (id {found.id}) is deleted: restore it first")
        if run and self._index.runs.find(run) is None:
            raise NotThere(f"no run has the id {run[:80]!r}")
        if self._index.models.find(id) is not None or self._store.ledger.find(id) is not None:
            raise Conflict(f"the id {id} is taken already: give the logged model another one, or none")

    def _decide(self, does: str, model: str, values: dict[str, Any], by: Actor, *made: Content) -> None:
        change = Change(what=LOGGED_MODEL, id=model, does=does, values=values)
        decide_change(self._store, f"{does}-{LOGGED_MODEL}", [change, *made], by=by, subject=model)
