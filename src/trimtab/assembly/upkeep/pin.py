"""Pins: artifacts that a person wants whole, however old they get."""

from trimtab.atoms.action import Action, Closing, Outcome, action_id
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.error import UsageError
from trimtab.atoms.instant import iso
from trimtab.engine.forgetting import PIN, STAGE, UNPIN, Forgetting
from trimtab.engine.store import Store


def pin(store: Store, artifact_id: str, *, by: str, unpin: bool = False) -> None:
    """Record that an artifact and what it was made from keep their parts, or need not any more.

    Raises:
        UsageError: It is no artifact, was forgotten already, or is not pinned.
    """
    if not isinstance(store.ledger.find(artifact_id), Artifact):
        raise UsageError(f"{artifact_id[:12]} is no artifact: only artifacts have parts to keep")
    forgetting = Forgetting()
    for entry in store.ledger.entries():
        forgetting.take(entry.record)
    if not unpin and (decision := forgetting.of(artifact_id)):
        raise UsageError(f"{artifact_id[:12]} was {decision.says}: it is too late to pin it")
    if unpin and artifact_id not in forgetting.pinned:
        raise UsageError(f"{artifact_id[:12]} is not pinned")
    now = store.now()
    action = Action(
        id=action_id(now),
        kind=UNPIN if unpin else PIN,
        stage=STAGE,
        took=(artifact_id,),
        by=by,
        at=iso(now),
    )
    store.ledger.append([action, Closing(action=action.id, outcome=Outcome.DONE, at=iso(now))])
