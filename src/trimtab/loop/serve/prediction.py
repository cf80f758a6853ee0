"""A prediction: one request's answer, and its record in the prediction log."""

from dataclasses import dataclass
from typing import Any

import msgspec

from trimtab.atoms.content.bundle import Manifest
from trimtab.loop.serve.loaded_bundle import Answers


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the client is told."""

    request_id: str
    manifest: Manifest
    version: int
    #: Classification: probabilities by row and class. Regression: a value by row.
    answers: list[Any]

    def values(self) -> list[Any]:
        """One label (the most probable class, the first of equals) or value a row."""
        if self.manifest.task != "classification":
            return self.answers
        classes = self.manifest.classes
        return [classes[row.index(max(row))] for row in self.answers]


class Served(msgspec.Struct, frozen=True):
    """One line of `predictions/<model>`: one bundle's part in one request, in the order it is written."""

    id: str
    at: str
    bundle: str
    version: int
    role: str
    inputs: dict[str, list[Any]]
    features: dict[str, list[Any]]
    answers: list[Any] | None
    error: str | None
    latency_ms: float
    fell_back: bool


_encoder = msgspec.json.Encoder()


def columns_of_rows(rows: list[Any]) -> dict[str, list[Any]]:
    """JSON rows by column, as the caller sent them; a row without a column has None there."""
    objects = [row if isinstance(row, dict) else {} for row in rows]
    names = dict.fromkeys(name for row in objects for name in row)
    return {name: [row.get(name) for row in objects] for name in names}


def record_of(
    request_id: str,
    at: str,
    bundle: str,
    version: int,
    role: str,
    latency_ms: float,
    *,
    answers: Answers | None = None,
    inputs: dict[str, list[Any]] | None = None,
    error: str | None = None,
    fell_back: bool = False,
) -> bytes:
    """The bytes that are logged; `inputs` are given for a request that failed, so that it has its place in time."""
    return _encoder.encode(
        Served(
            request_id,
            at,
            bundle,
            version,
            role,
            answers.inputs if answers else inputs or {},
            answers.features if answers else {},
            answers.answers if answers else None,
            error,
            round(latency_ms, 3),
            fell_back,
        )
    )
