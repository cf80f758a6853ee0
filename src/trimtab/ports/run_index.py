"""What was tracked, so that it can be searched: a fold of the ledger and of the stream of run events.

It holds nothing that is not said elsewhere: one that is lost or damaged is made again from the first entry on.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from trimtab.atoms.metric_point import Points
from trimtab.atoms.run import (
    Experiment,
    LoggedFile,
    LoggedModel,
    LoggedModelHead,
    Run,
    RunHead,
)
from trimtab.atoms.run_event import RunEvent
from trimtab.atoms.run_query import Page, Query
from trimtab.ports.streams import Cursor

#: What the index takes in. A head or an experiment replaces the one with its id; an event adds to its owner.
Tracked = Experiment | RunHead | LoggedModelHead | RunEvent


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far the index has read."""

    #: Number of the last ledger entry.
    entry: int = 0
    #: In the stream of run events.
    cursor: Cursor = Cursor()


class RunSearch(Protocol):
    """Runs as they were last taken in."""

    def find(self, run: str) -> Run | None:
        """The run with this id, deleted or not."""
        ...

    def search(self, query: Query) -> Page[Run]:
        """Runs that a query asks for; UsageError where it cannot be answered, as `searchable.settled` says.

        A page begins after the last run of the one before, as that run stood then: what came or went meanwhile moves
        nothing. What has no value for a key comes last either way, after NaN, which comes after the numbers.
        """
        ...

    def count(self, query: Query) -> int:
        """How many runs all the pages of a query hold."""
        ...

    def points(self, run: str, metric: str) -> Points:
        """Every point of one metric of a run, each of them once: by step, of one step by moment, then by value.

        NaN comes before the numbers. The last one is the run's last point of the metric.
        """
        ...


class FileSearch(Protocol):
    """Files of runs and logged models."""

    def find(self, owner: str, path: str) -> LoggedFile | None:
        """The file under exactly this path."""
        ...

    def under(self, owner: str, folder: str = "") -> list[LoggedFile]:
        """Every file in a folder and in the folders of it, by path; empty `folder`: all of the owner's."""
        ...


class ExperimentSearch(Protocol):
    """Experiments, with the default one, which is there from the beginning."""

    def find(self, experiment: str) -> Experiment | None:
        """The experiment with this id, deleted or not."""
        ...

    def named(self, name: str) -> Experiment | None:
        """The experiment with this name, deleted or not."""
        ...

    def search(self, query: Query) -> Page[Experiment]:
        """Experiments; attributes are `name creation_time last_update_time experiment_id`."""
        ...


class ModelSearch(Protocol):
    """Logged models."""

    def find(self, model: str) -> LoggedModel | None:
        """The logged model with this id, deleted or not."""
        ...

    def search(self, query: Query) -> Page[LoggedModel]:
        """Logged models; attributes are `name model_id model_type status source_run_id creation_timestamp ...`.

        A model may have several values of a metric, by run and data. A condition holds where it holds for one of
        them, the order goes by the newest; where the query names data, only those measured on it count.
        """
        ...


class RunIndex(Protocol):
    """Contract:

    - `take` is atomic, and happens only where the index is still at `after`: of two that read the same, one wins.
    - Events about an owner whose head was not taken in are passed over; taking an event twice changes nothing.
    - In whatever order events are taken in, they come to the same: `RunEvent.at_us` says which tag, file, removal or
      parameter holds; a removal is remembered against an earlier event that is taken in later.
    - Any number of threads and processes may read while one takes in; a reader sees all of a `take` or nothing.
    - What is damaged is found when it is opened, and begun anew.
    """

    runs: RunSearch
    files: FileSearch
    experiments: ExperimentSearch
    models: ModelSearch

    def position(self) -> Position:
        """How far everything up to now was read."""
        ...

    def take(self, tracked: Sequence[Tracked], *, after: Position, upto: Position) -> bool:
        """Take in what was read between two positions; False, and nothing is changed, where it is not at `after`."""
        ...

    def close(self) -> None:
        """Release what is held."""
        ...
