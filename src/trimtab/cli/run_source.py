"""Where the commands about runs get them from: a store on this machine, or a server."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from trimtab.atoms.error import NotThere, UsageError
from trimtab.atoms.run import DEFAULT_EXPERIMENT, Experiment, LoggedFile, Run
from trimtab.atoms.run_account import account_of
from trimtab.atoms.run_query import Deleted, Page, Query

if TYPE_CHECKING:
    from trimtab.adapters.control_client.client import ControlClient
    from trimtab.engine.metric_series import Series
    from trimtab.tracking.tracking import Tracking

#: Runs that an ambiguous name is told with.
_TOLD = 10
#: Items that a server gives at once.
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs."""

    #: Ids of experiments; empty: all of them.
    experiments: tuple[str, ...] = ()
    #: In the words of a filter: `metrics.log_loss < 0.4 and params.depth = '3'`.
    where: str = ""
    #: As `metrics.log_loss`, `start_time DESC`, several with commas between; empty: the newest first.
    order: str = ""
    deleted: Deleted = Deleted.LEFT_OUT
    limit: int = 20
    #: `Page.after` of the page before.
    after: str = ""


class RunsSource(Protocol):
    """What the commands ask; both ways answer alike."""

    def experiments(self) -> list[Experiment]:
        """Every experiment, deleted ones too."""
        ...

    def search(self, wanted: Wanted) -> Page[Run]:
        """A page of runs; UsageError where the filter or the order cannot be read."""
        ...

    def count(self, wanted: Wanted) -> int:
        """How many runs all the pages hold."""
        ...

    def find(self, run: str) -> Run:
        """The run with exactly this id, deleted or not; NotThere."""
        ...

    def files(self, run: str) -> list[LoggedFile]:
        """Every file of a run, by path."""
        ...

    def picture(self, run: str, metric: str, most: int) -> "Series":
        """At most `most` points of a metric, which draw the same line as all of them."""
        ...


class StoredRuns:
    """Runs of a store that is open here."""

    def __init__(self, tracking: "Tracking") -> None:
        self._tracking = tracking

    def experiments(self) -> list[Experiment]:
        """See the protocol."""
        return list(self._tracking.experiments.search(Query(deleted=Deleted.TOO, limit=50_000)).items)

    def search(self, wanted: Wanted) -> Page[Run]:
        """See the protocol."""
        return self._tracking.runs.search(_query(wanted))

    def count(self, wanted: Wanted) -> int:
        """See the protocol."""
        return self._tracking.runs.count(_query(wanted))

    def find(self, run: str) -> Run:
        """See the protocol."""
        return self._tracking.runs.find(run)

    def files(self, run: str) -> list[LoggedFile]:
        """See the protocol."""
        return self._tracking.files.under(run)

    def picture(self, run: str, metric: str, most: int) -> "Series":
        """See the protocol."""
        from trimtab.assembly.metric_picture import metric_picture

        return metric_picture(self._tracking.logbook.points(run, metric), most)


class ServedRuns:
    """Runs of a server."""

    def __init__(self, client: "ControlClient") -> None:
        self._client = client

    def experiments(self) -> list[Experiment]:
        """See the protocol."""
        page = self._client.experiments.search(deleted="all", limit=_PAGE)
        found = list(page.items)
        while page.after:
            page = self._client.experiments.search(deleted="all", limit=_PAGE, after=page.after)
            found += page.items
        return found

    def search(self, wanted: Wanted) -> Page[Run]:
        """See the protocol; more than a server gives at once are asked for page by page."""
        found: list[Run] = []
        after = wanted.after
        while True:
            page = self._client.runs.search(
                wanted.where,
                order=_keys(wanted.order),
                experiments=wanted.experiments,
                deleted=wanted.deleted.value,
                limit=min(wanted.limit - len(found), _PAGE),
                after=after,
            )
            found += page.items
            after = page.after
            if not after or len(found) >= wanted.limit:
                return Page(items=tuple(found), after=after)

    def count(self, wanted: Wanted) -> int:
        """See the protocol."""
        return self._client.runs.count(
            wanted.where, experiments=wanted.experiments, deleted=wanted.deleted.value
        )

    def find(self, run: str) -> Run:
        """See the protocol."""
        return self._client.runs.find(run)

    def files(self, run: str) -> list[LoggedFile]:
        """See the protocol."""
        return self._client.files.under(run)

    def picture(self, run: str, metric: str, most: int) -> "Series":
        """See the protocol; the server chooses the points."""
        from trimtab.engine.metric_series import Series

        points = self._client.logbook.points(run, metric, most)
        return Series(points.steps, points.values, points.at_us)


def named_run(source: RunsSource, name: str) -> Run:
    """The run that a person means by an id, the beginning of one, or a name.

    Raises:
        NotThere: No run is called so.
        UsageError: Several are: the message lists them.
    """
    try:
        return source.find(name)
    except NotThere:
        pass
    found = _matching(source, name)
    found = {id: run for id, run in found.items() if not run.head.deleted} or found
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise NotThere(
            f"no run {name!r}: give an id, the beginning of one, or a name, as `trimtab runs` lists them"
        )
    listed = [f"{run.head.id} ({run.name})" if run.name else run.head.id for run in found.values()]
    more = " and more" if len(listed) > _TOLD else ""
    raise UsageError(f"run {name!r} may be any of {', '.join(listed[:_TOLD])}{more}: give more of the id")


def named_experiment(experiments: Sequence[Experiment], name: str) -> Experiment:
    """The experiment with this name or id; NotThere, with the names that there are."""
    for experiment in experiments:
        if experiment.name == name:
            return experiment
    for experiment in experiments:
        if experiment.id == name:
            return experiment
    names = [each.name for each in experiments if not each.deleted]
    told = ", ".join(names[:_TOLD]) + (f" and {len(names) - _TOLD} more" if len(names) > _TOLD else "")
    raise NotThere(f"no experiment {name!r}: there is {told or 'none'}")


def experiment_names(experiments: Sequence[Experiment]) -> dict[str, str]:
    """Names by id."""
    return {DEFAULT_EXPERIMENT: "Default", **{each.id: each.name for each in experiments}}


def run_json(run: Run, names: Mapping[str, str]) -> dict[str, Any]:
    """A run as JSON, with the name of its experiment."""
    account: dict[str, Any] = msgspec.to_builtins(account_of(run))
    return account | {"experiment_name": names.get(run.head.experiment, "")}


def _matching(source: RunsSource, name: str) -> dict[str, Run]:
    """Runs whose id begins with `name`, and those that are called so."""
    found: dict[str, Run] = {}
    if re.fullmatch(r"[\w-]+", name, re.ASCII):
        begun = Wanted(where=f"attributes.run_id LIKE '{name}%'", deleted=Deleted.TOO, limit=_TOLD + 1)
        # An underscore stands for any character there.
        found |= {run.head.id: run for run in source.search(begun).items if run.head.id.startswith(name)}
    quote = '"' if "'" in name else "'"
    if quote not in name:
        called = Wanted(
            where=f"attributes.run_name = {quote}{name}{quote}", deleted=Deleted.TOO, limit=_TOLD + 1
        )
        found |= {run.head.id: run for run in source.search(called).items}
    return found


def _keys(order: str) -> list[str]:
    return [key.strip() for key in order.split(",") if key.strip()]


def _query(wanted: Wanted) -> Query:
    from trimtab.tracking.filter import parse_filter, parse_order

    return Query(
        experiments=wanted.experiments,
        where=parse_filter(wanted.where),
        order=parse_order(_keys(wanted.order)),
        deleted=wanted.deleted,
        limit=wanted.limit,
        after=wanted.after,
    )
