"""What a server's views say: the same accounts as `--json` prints."""

from typing import Any

from trimtab.adapters.control_client.connection import Connection, place

Account = dict[str, Any]


class RemoteViews:
    """Accounts as JSON values; errors are those of `Connection.ask`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def status(self) -> Account:
        """Where everything stands."""
        return self._ask(place("status"), "head", "models", "sources", "stages", "running", "alarms")

    def models(self) -> Account:
        """Every version of every model, and `stored`: those that clients registered."""
        return self._ask(place("models"), "models", "stored")

    def lineage(self, name: str) -> Account:
        """All that the record called `name` came of, and all that it led to; NotThere."""
        return self._ask(place("lineage", rest=name), "id", "up", "down")

    def record(self, name: str) -> Account:
        """One record and what it is linked with directly; NotThere."""
        return self._ask(place("records", rest=name), "id", "record")

    def checks(
        self, *, verdict: str | None = None, rule: str | None = None, limit: int = 100, after: str = ""
    ) -> Account:
        """Checks, newest first: `checks`, and `after` for the next page."""
        return self._ask(
            place("checks"), "checks", "after", verdict=verdict, rule=rule, limit=limit, after=after or None
        )

    def actions(
        self, *, kind: str | None = None, by: str | None = None, limit: int = 100, after: str = ""
    ) -> Account:
        """Actions with how they ended, newest first: `actions`, and `after` for the next page."""
        return self._ask(
            place("actions"), "actions", "after", kind=kind, by=by, limit=limit, after=after or None
        )

    def incidents(self, *, limit: int = 100, after: str = "") -> Account:
        """Incidents, newest first: `incidents`, and `after` for the next page."""
        return self._ask(place("incidents"), "incidents", "after", limit=limit, after=after or None)

    def _ask(self, path: str, *names: str, **query: str | int | None) -> Account:
        return self._connection.account(path, *names, query=query)
