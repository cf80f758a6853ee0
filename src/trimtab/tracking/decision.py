"""Writing a decision: an Action with the change that it made, whole or not at all."""

from collections.abc import Sequence

from trimtab.atoms.action import Action, Closing, Outcome, action_id
from trimtab.atoms.actor import Actor
from trimtab.atoms.artifact import artifact_of
from trimtab.atoms.content.content import Content
from trimtab.atoms.instant import iso
from trimtab.engine.store import Store

#: The stage that these Actions say they are of.
STAGE = "tracking"


def decide_change(
    store: Store,
    kind: str,
    changes: Sequence[Content],
    *,
    by: Actor,
    subject: str = "",
    took: Sequence[str] = (),
    parent: str | None = None,
    note: str = "",
    key: str | None = None,
) -> str:
    """Record that somebody changed something; durable when it returns.

    Args:
        changes: `Change`s, and what they speak of by its artifact id, such as a list of files.
        kind: What is done, as the audit log shall name it: `experiment`, `registry`, `token-create` ...
        subject: What it is done to.
        took: Artifact ids that it starts from.
        parent: The Action that it is a step of; None: the one that gave the actor its token.
        key: Idempotency key: the same key again writes nothing.

    Returns:
        Id of the Action.
    """
    now = store.now()
    action = Action(
        id=action_id(now),
        kind=kind,
        stage=STAGE,
        subject=subject,
        took=tuple(took),
        by=by.by,
        parent=parent or by.parent,
        note=note,
        at=iso(now),
    )
    artifacts = []
    for change in changes:
        artifact, body = artifact_of(change)
        store.blobs.put(body)
        artifacts.append(artifact)
    made = tuple(artifact.id for artifact in artifacts)
    closing = Closing(action=action.id, outcome=Outcome.DONE, made=made, note=note, at=iso(now))
    store.ledger.append([action, *artifacts, closing], key=key)
    return action.id
