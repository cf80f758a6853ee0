"""What the API answers about experiments, runs and files, beside `atoms.run_account`."""

import msgspec

from trimtab.atoms.run import Experiment, LoggedFile
from trimtab.atoms.run_account import Number, Whole


class ExperimentPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the experiments that were found."""

    experiments: tuple[Experiment, ...]
    #: For the next page; empty: this is the last one.
    after: str


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are."""

    count: int


class SeriesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Points of one metric in columns: by step, those of one step by moment."""

    run: str
    metric: str
    #: How many points there are; a picture shows fewer.
    count: int
    steps: list[Whole]
    values: list[Number]
    #: Microseconds since 1970, UTC.
    at_us: list[Whole]


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """What was logged is durable."""

    run: str
    points: int


class FileList(msgspec.Struct, frozen=True, kw_only=True):
    """Files of a run, by path."""

    files: list[LoggedFile]


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken away."""

    removed: str
