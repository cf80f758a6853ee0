"""What the prediction log and the outcomes stream hold, one record a line."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

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
    #: The call that it came by and its place there, where that call can come again.
    call: str = ""


_PREDICTION = msgspec.json.Decoder(LoggedPrediction)
_OUTCOME = msgspec.json.Decoder(LoggedOutcome)


class Shelf(Protocol):
    """Where a book keeps its entries: a dict, or something that may outgrow memory."""

    def get(self, key: str) -> Any:
        """The value under `key`, or None."""
        ...

    def __setitem__(self, key: str, value: Any) -> None: ...


def counts_as(role: str, error: str | None) -> str:
    """As what a record counts, once a request id: its one answer, a shadow's answer, or the failure of a role.

    A request that came again is answered by whoever has the traffic then: it has one answer all the same.
    """
    if error is not None:
        return f"{role} failed"
    return "shadow" if role == "shadow" else "answer"


def read_predictions(records: Iterable[bytes | LoggedPrediction]) -> list[LoggedPrediction]:
    """The records of a prediction log in order, each request once as what it counts: the first wins."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for record in records:
        prediction = _PREDICTION.decode(record) if isinstance(record, bytes) else record
        name = (prediction.id, counts_as(prediction.role, prediction.error))
        if name not in seen:
            seen.add(name)
            kept.append(prediction)
    return kept


class OutcomeBook:
    """Outcomes by request row and by key; the later one counts. Grows by `add`, so it can be kept.

    What came by one call counts once, also where that call came again much later: it corrects nothing then.
    """

    def __init__(
        self, records: Iterable[bytes | LoggedOutcome] = (), *, shelf: Callable[[], Shelf] = dict
    ) -> None:
        """
        Args:
            shelf: Makes an empty place for entries.
        """
        self._by_row = shelf()
        self._by_key = shelf()
        self._calls = shelf()
        self._keyed = False
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
            if outcome.call:
                if self._calls.get(outcome.call):
                    continue
                self._calls[outcome.call] = True
            self._count += 1
            if outcome.id is not None:
                self._by_row[f"{outcome.row} {outcome.id}"] = (self._count, truth)
            key = label_text(outcome.key)
            if key is not None:
                self._by_key[key] = (self._count, truth)
                self._keyed = True

    def truths(self, ids: Sequence[str], rows: Sequence[int], keys: Sequence[Any] | None) -> list[str | None]:
        """The outcome of each row as text, None where it is not known yet."""
        by_row, by_key = self._by_row, self._by_key
        found = [by_row.get(f"{row} {name}") for name, row in zip(ids, rows, strict=True)]
        if keys is None or not self._keyed:
            return [None if outcome is None else outcome[1] for outcome in found]
        merged: list[str | None] = []
        for outcome, key in zip(found, keys, strict=True):
            named = by_key.get(label_text(key) or "")
            latest = max((tuple(one) for one in (outcome, named) if one is not None), default=None)
            merged.append(None if latest is None else latest[1])
        return merged
