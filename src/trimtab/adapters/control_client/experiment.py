"""Experiments of a server."""

from collections.abc import Mapping

import msgspec

from trimtab.adapters.control_client.connection import Connection, place
from trimtab.atoms.run import Experiment
from trimtab.atoms.run_query import Page


class _Experiments(msgspec.Struct):
    experiments: tuple[Experiment, ...]
    after: str


class RemoteExperiments:
    """As `trimtab.tracking.experiment.Experiments`; errors are those of `Connection.ask`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(
        self, name: str, *, tags: Mapping[str, str] | None = None, key: str | None = None
    ) -> Experiment:
        """Make an experiment; Conflict where there is one of this name."""
        body = {"name": name, "tags": dict(tags or {})}
        return self._connection.ask("POST", place("experiments"), Experiment, body=body, key=key)

    def change(
        self,
        experiment: str,
        *,
        name: str | None = None,
        deleted: bool | None = None,
        tags: Mapping[str, str | None] | None = None,
    ) -> Experiment:
        """Change what is given; a tag that is None is taken away. `experiment` is its id."""
        body = {"name": name, "deleted": deleted, "tags": dict(tags or {})}
        return self._connection.ask("PATCH", place("experiments", experiment), Experiment, body=body)

    def find(self, experiment: str) -> Experiment:
        """The experiment with this id or this name, deleted or not; NotThere."""
        return self._connection.ask("GET", place("experiments", experiment), Experiment)

    def search(
        self, filter: str = "", *, deleted: str = "active", limit: int = 100, after: str = ""
    ) -> Page[Experiment]:
        """A page of the experiments that are asked for, as `RemoteRuns.search`."""
        asked = {"filter": filter or None, "deleted": deleted, "limit": limit, "after": after or None}
        page = self._connection.ask("GET", place("experiments"), _Experiments, query=asked)
        return Page(items=page.experiments, after=page.after)
