"""What was decided: an action takes artifacts, is opened for a reason, and closes with what it made."""

import secrets
from datetime import datetime
from enum import StrEnum

import msgspec


class Outcome(StrEnum):
    """How an Action ended."""

    DONE = "done"
    FAILED = "failed"
    #: Its process died before it closed; a successor wrote this.
    ABANDONED = "abandoned"


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One decision or piece of work, as it was opened."""

    #: Sortable by time, unique.
    id: str
    #: What is done: on the stage's card.
    kind: str
    #: The verb of the loop whose card allows it; `engine` for the engine's own.
    stage: str
    #: What it is done to: a source's or a model's name.
    subject: str = ""
    #: Ids of the Checks that it answers; a person's Action may have none.
    because: tuple[str, ...] = ()
    #: Ids of the artifacts it starts from.
    took: tuple[str, ...] = ()
    #: Who decided: `person:NAME`, `token:NAME` or `policy:NAME`.
    by: str
    #: The Action that this is a step of.
    parent: str | None = None
    #: Digest of inputs, parameters and code: two Actions with one key do the same work.
    key: str = ""
    #: The reason in a sentence.
    note: str = ""
    #: UTC, ISO 8601.
    at: str


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """How an Action ended; written once, together with what the Action made."""

    action: str
    outcome: Outcome
    #: Ids of the artifacts it made, in the order it made them.
    made: tuple[str, ...] = ()
    #: Ids of the Checks it judged.
    judged: tuple[str, ...] = ()
    #: What a person wants to know about the end: a count, a reason, an error's message.
    note: str = ""
    at: str


def action_id(at: datetime) -> str:
    """A new id that sorts by time: milliseconds since 1970 in 12 hex digits, then 64 random bits."""
    return f"{int(at.timestamp() * 1000):012x}{secrets.token_hex(8)}"
