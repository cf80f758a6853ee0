"""Outcomes: what turned out to be true, checked against the model's target before it is kept."""

import math
from typing import Any

import msgspec

from trimtab.atoms.content.bundle import Manifest
from trimtab.loop.serve.problem import Problem


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row's truth, named by the request that asked for the row or by the row's key."""

    value: Any
    request_id: str | None = None
    row: int = 0
    key: str | int | float | bool | None = None


class OutcomeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /outcomes/{model}`."""

    outcomes: list[Outcome]


def records_of(
    request: OutcomeRequest, manifest: Manifest, at: str, *, most: int, call: str | None = None
) -> list[bytes]:
    """Lines of `outcomes/<model>`; Problem names the first outcome that does not fit and why.

    Args:
        call: What a repetition of this call shares with it; each line then tells its place in the call.
    """
    if not request.outcomes:
        raise Problem(422, "the request has no outcomes: send at least one", rule="outcomes not empty")
    if len(request.outcomes) > most:
        raise Problem(
            413, f"the request has {len(request.outcomes)} outcomes, the limit is {most}", rule="rows"
        )
    truths = _truths(manifest)
    return [
        msgspec.json.encode(
            {
                "id": outcome.request_id,
                "row": outcome.row,
                "key": outcome.key,
                "truth": _truth(outcome.value, manifest, truths, place),
                "at": at,
                **({} if call is None else {"call": f"{call}:{place}"}),
            }
        )
        for place, outcome in enumerate(request.outcomes)
        if _named(outcome, manifest, place)
    ]


def _named(outcome: Outcome, manifest: Manifest, place: int) -> bool:
    if (outcome.request_id is None) == (outcome.key is None):
        raise Problem(
            422,
            f"outcome {place}: give either request_id (and row) or key, to say which row it is of",
            rule="request_id or key",
            row=place,
        )
    if outcome.key is not None and manifest.key is None:
        raise Problem(
            422,
            f"outcome {place}: model {manifest.model!r} has no key column: give request_id and row",
            rule="request_id or key",
            row=place,
        )
    if outcome.request_id is not None and not 0 < len(outcome.request_id) <= 128:
        raise Problem(
            422, f"outcome {place}: request_id is not 1 to 128 characters", rule="request_id", row=place
        )
    if outcome.row < 0:
        raise Problem(422, f"outcome {place}: row is negative; rows count from 0", rule="row", row=place)
    return True


def _truth(value: Any, manifest: Manifest, truths: dict[Any, Any], place: int) -> Any:
    if manifest.task == "classification":
        try:
            return truths[_exactly(value)]
        except (KeyError, TypeError):
            classes = msgspec.json.encode(list(manifest.classes)).decode()
            raise Problem(
                422,
                f"outcome {place}: the value is none of the classes of {manifest.target!r}: {classes}",
                column=manifest.target,
                rule="classes",
                row=place,
            ) from None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Problem(
            422,
            f"outcome {place}: the value of {manifest.target!r} must be a finite number",
            column=manifest.target,
            rule="number",
            row=place,
        )
    return value


def _truths(manifest: Manifest) -> dict[Any, Any]:
    """The class that each accepted value stands for; of two classes, true and 1 (false and 0) are one."""
    truths = {_exactly(value): value for value in manifest.classes}
    if set(manifest.classes) == {0, 1}:  # also {False, True}, which are equal to these
        for value in manifest.classes:
            truths.setdefault((True, bool(value)), value)
            truths.setdefault((False, int(value)), value)
    return truths


def _exactly(value: Any) -> tuple[bool, Any]:
    """Equal for equal JSON values only: 1 and 1.0 are one number, `true` is another thing."""
    return isinstance(value, bool), value
