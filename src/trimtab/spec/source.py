"""Where rows come from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A table that arrives in files, over time."""

    name: str
    #: Path or glob, relative to the project's folder; CSV or Parquet.
    path: str
    #: Column that names a row; rows with a key seen before are duplicates.
    key: str | None = None
    #: Column with the moment that the row speaks of.
    event_time: str | None = None
    #: Column with the moment that the row became known; by default the event time.
    known_time: str | None = None
    #: Length of a span: `1d`, `1w`, `1mo`; without an event time each ingest that brings rows is a span.
    span: str = "1d"
