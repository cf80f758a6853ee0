"""What the prediction log and the outcomes stream hold, one record a line."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from trimtab.rows.served_row import label_text


class LoggedPrediction(msgspec.Struct, frozen=True, gc=False):
    """One request as one bundle answered it."""

    id: str
    at: str
    bundle: str
    version: int
    #: `champion`, `canary` or `shadow`.
    role: str
    #: The request's columns, and the features that were made of them: a list of values each.
    inputs: dict[str, list[Any]] = {}
    features: dict[str, list[Any]] = {}
    #: A list of probabilities a row, or a value a row; None where the bundle failed.
    answers: list[Any] | None = None
    error: str | None = None
    latency_ms: float | None = None
    #: True where the champion answered because the canary failed.
    fell_back: bool = False

    @property
    def rows(self) -> int:
        """Rows of the request."""
        for columns in (self.inputs, self.features):
            for values in columns.values():
                return len(values)
        return len(self.answers) if self.answers is not None else 1


class LoggedOutcome(msgspec.Struct, frozen=True, gc=False):
    """What became of one row."""

    truth: Any
    id: str | None = None
    row: int = 0
    key: Any = None
    at: str = ""


_PREDICTION = msgspec.json.Decoder(LoggedPrediction)
_OUTCOME = msgspec.json.Decoder(LoggedOutcome)


def read_predictions(records: Iterable[bytes | LoggedPrediction]) -> list[LoggedPrediction]:
    """The records of a prediction log in order, each (request, role) once: the first wins."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for record in records:
        prediction = _PREDICTION.decode(record) if isinstance(record, bytes) else record
        name = (prediction.id, prediction.role)
        if name not in seen:
            seen.add(name)
            kept.append(prediction)
    return kept


class OutcomeBook:
    """Outcomes by request row and by key; the later one counts. Grows by `add`, so it can be kept."""

    def __init__(self, records: Iterable[bytes | LoggedOutcome] = ()) -> None:
        self._by_row: dict[tuple[str, int], tuple[int, str]] = {}
        self._by_key: dict[str, tuple[int, str]] = {}
        self._count = 0
        self.add(records)

    def __len__(self) -> int:
        return self._count

    def add(self, records: Iterable[bytes | LoggedOutcome]) -> None:
        """Take in further records, in the order of the stream."""
        for record in records:
            outcome = _OUTCOME.decode(record) if isinstance(record, bytes) else record
            truth = label_text(outcome.truth)
            if truth is None:
                continue
            self._count += 1
            if outcome.id is not None:
                self._by_row[outcome.id, outcome.row] = (self._count, truth)
            key = label_text(outcome.key)
            if key is not None:
                self._by_key[key] = (self._count, truth)

    def truths(self, ids: Sequence[str], rows: Sequence[int], keys: Sequence[Any] | None) -> list[str | None]:
        """The outcome of each row as text, None where it is not known yet."""
        by_row, by_key = self._by_row, self._by_key
        found = [by_row.get(place) for place in zip(ids, rows, strict=True)]
        if keys is None or not by_key:
            return [None if outcome is None else outcome[1] for outcome in found]
        merged: list[str | None] = []
        for outcome, key in zip(found, keys, strict=True):
            named = by_key.get(label_text(key) or "")
            latest = max((one for one in (outcome, named) if one is not None), default=None)
            merged.append(None if latest is None else latest[1])
        return merged
