"""Where rows come from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A table that arrives in files, over time; or a folder of files of any kind."""

    name: str
    #: Path or glob of CSV or Parquet files, or the path of a folder, relative to the project's.
    path: str
    #: Column that names what a row speaks of. With an event time one key has many rows, one a moment.
    key: str | None = None
    #: Column with the moment that the row speaks of.
    event_time: str | None = None
    #: Column with the moment that the row became known; by default the event time.
    known_time: str | None = None
    #: Length of a span: `1d`, `1w`, `1mo`; without an event time each ingest that brings rows is a span.
    span: str = "1d"

    @property
    def identity(self) -> tuple[str, ...]:
        """Columns that tell two rows apart: rows alike in all of them are duplicates; empty without a key.

        A correction that became known later is a row of its own, so that the past stays as it was known.
        """
        if self.key is None:
            return ()
        return tuple(name for name in (self.key, self.event_time, self.known_time) if name is not None)
