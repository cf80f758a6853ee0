"""Runs of a server: their beginning, their end, and finding them."""

from collections.abc import Mapping, Sequence

import msgspec

from trimtab.adapters.control_client.connection import Connection, place
from trimtab.atoms.run import DEFAULT_EXPERIMENT, Run, RunStatus
from trimtab.atoms.run_account import RunAccount, RunPage, run_of
from trimtab.atoms.run_query import Page


class _Count(msgspec.Struct):
    count: int


class RemoteRuns:
    """As `trimtab.tracking.run.Runs`, with filters in words; errors are those of `Connection.ask`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def open(
        self,
        experiment: str = DEFAULT_EXPERIMENT,
        *,
        run: str = "",
        started_ms: int | None = None,
        tags: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Run:
        """Begin a run.

        Args:
            experiment: Its id or its name; one of a new name is made.
            run: Its id; empty: a new one.
            started_ms: Milliseconds since 1970, UTC; None: now.
            key: Idempotency key, where this may be the second time that the same is asked.
        """
        body = {
            "experiment": experiment,
            "id": run,
            "started_ms": started_ms,
            "tags": dict(tags or {}),
            "parameters": dict(parameters or {}),
        }
        return run_of(self._connection.ask("POST", place("runs"), RunAccount, body=body, key=key))

    def end(
        self,
        run: str,
        status: RunStatus | str = RunStatus.FINISHED,
        *,
        ended_ms: int | None = None,
        note: str = "",
    ) -> Run:
        """End a run."""
        body = {"status": str(status), "ended_ms": ended_ms, "note": note}
        return run_of(self._connection.ask("POST", place("runs", run, "end"), RunAccount, body=body))

    def resume(self, run: str) -> Run:
        """Let a run that ended go on."""
        return run_of(self._connection.ask("POST", place("runs", run, "resume"), RunAccount))

    def set_deleted(self, run: str, deleted: bool) -> Run:
        """Delete a run, or restore it."""
        if deleted:
            return run_of(self._connection.ask("DELETE", place("runs", run), RunAccount))
        return run_of(self._connection.ask("POST", place("runs", run, "restore"), RunAccount))

    def find(self, run: str) -> Run:
        """The run with this id, deleted or not; NotThere."""
        return run_of(self._connection.ask("GET", place("runs", run), RunAccount))

    def search(
        self,
        filter: str = "",
        *,
        order: Sequence[str] = (),
        experiments: Sequence[str] = (),
        deleted: str = "active",
        limit: int = 100,
        after: str = "",
    ) -> Page[Run]:
        """A page of the runs that are asked for.

        Args:
            filter: As `metrics.loss < 0.5 AND params.depth = '8'`; empty: all.
            order: As `metrics.loss ASC`; empty: the newest first.
            experiments: Ids or names; empty: all.
            deleted: `active`, `deleted` or `all`.
            limit: 1 to 1,000.
            after: `Page.after` of the page before.
        """
        asked = _asked(filter, experiments, deleted) | {
            "order": order,
            "limit": limit,
            "after": after or None,
        }
        page = self._connection.ask("GET", place("runs"), RunPage, query=asked)
        return Page(items=tuple(map(run_of, page.runs)), after=page.after)

    def count(self, filter: str = "", *, experiments: Sequence[str] = (), deleted: str = "active") -> int:
        """How many runs all the pages of a search hold."""
        asked = _asked(filter, experiments, deleted)
        return self._connection.ask("GET", place("runs", "count"), _Count, query=asked).count


def _asked(
    filter: str, experiments: Sequence[str], deleted: str
) -> dict[str, str | int | bool | Sequence[str] | None]:
    return {"filter": filter or None, "experiment": experiments, "deleted": deleted}
