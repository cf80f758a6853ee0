"""The run index port on one SQLite file."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from trimtab.adapters.sqlite_run_index.experiment_search import SqliteExperimentSearch
from trimtab.adapters.sqlite_run_index.file import IndexFile
from trimtab.adapters.sqlite_run_index.file_search import SqliteFileSearch
from trimtab.adapters.sqlite_run_index.intake import Intake
from trimtab.adapters.sqlite_run_index.model_search import SqliteModelSearch
from trimtab.adapters.sqlite_run_index.number import Numbers
from trimtab.adapters.sqlite_run_index.run_search import SqliteRunSearch
from trimtab.ports.run_index import (
    ExperimentSearch,
    FileSearch,
    ModelSearch,
    Position,
    RunIndex,
    RunSearch,
    Tracked,
)
from trimtab.ports.streams import Cursor

_CURSOR = msgspec.json.Decoder(Cursor)
_POSITION = "SELECT entry, cursor FROM meta"


def open_run_index(path: Path) -> RunIndex:
    """Open the index in the file `path`, made where there is none, begun anew where it is damaged or another version's.

    Raises:
        StoreError: It cannot be written.
    """
    return SqliteRunIndex(path)


class SqliteRunIndex:
    """Contract of the port. Durable now and then: after a power cut it is where it was a while ago, and goes on."""

    def __init__(self, path: Path) -> None:
        """See `open_run_index`."""
        self._file = IndexFile(path)
        self._numbers, self._generation = Numbers(), 0
        self.runs: RunSearch = SqliteRunSearch(self._file)
        self.files: FileSearch = SqliteFileSearch(self._file)
        self.experiments: ExperimentSearch = SqliteExperimentSearch(self._file)
        self.models: ModelSearch = SqliteModelSearch(self._file)

    def position(self) -> Position:
        """See the port."""
        with self._file.read() as connection:
            entry, cursor = connection.execute(_POSITION).fetchone()
            return Position(entry=entry, cursor=_CURSOR.decode(cursor))

    def take(self, tracked: Sequence[Tracked], *, after: Position, upto: Position) -> bool:
        """See the port."""
        with self._file.write() as connection:
            entry, cursor = connection.execute(_POSITION).fetchone()
            if Position(entry=entry, cursor=_CURSOR.decode(cursor)) != after:
                return False
            if self._generation != self._file.generation:
                self._numbers, self._generation = Numbers(), self._file.generation
            self._numbers.forget_when_many()
            intake = Intake(connection, self._numbers)
            intake.take(tracked)
            intake.settle()
            connection.execute(
                "UPDATE meta SET entry = ?, cursor = ?", (upto.entry, msgspec.json.encode(upto.cursor))
            )
        return True

    def close(self) -> None:
        """See the port."""
        self._file.close()
