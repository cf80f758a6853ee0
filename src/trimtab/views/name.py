"""Names that people give to records, and the ids they mean."""

from trimtab.atoms.digest import SHORT
from trimtab.atoms.entry import id_prefix
from trimtab.atoms.error import UsageError
from trimtab.views.memory import Memory


def resolve(memory: Memory, text: str) -> str:
    """The id of the record that `text` means.

    Args:
        memory: Refreshed.
        text: An id or 6 or more digits of one; `model@version` or `model@champion` for a bundle; a model's
            name for its champion's bundle; `source/span` for the snapshot that first held the span; a
            source's name for its newest snapshot.

    Raises:
        UsageError: Nothing or several records are meant; the message says which words would do.
    """
    if memory.store.ledger.find(text) is not None:
        return text
    found = _by_name(memory, text)
    if found is not None:
        return found
    try:
        records = memory.store.ledger.starting_with(id_prefix(text))
    except UsageError:
        names = [*memory.releases.models(), *memory.spans.sources()]
        raise UsageError(
            f"{text!r} names nothing here: give 6 or more digits of an id, MODEL@VERSION, SOURCE/SPAN, "
            f"or one of {', '.join(names) or '(nothing is recorded yet)'}"
        ) from None
    ids = sorted({record.id for record in records if hasattr(record, "id")})
    if not ids:
        raise UsageError(f"no artifact, check or action has an id that begins with {text}")
    if len(ids) > 1:
        raise UsageError(
            f"{text} is the beginning of {', '.join(each[: SHORT + 4] for each in ids)}: give more digits"
        )
    return ids[0]


def _by_name(memory: Memory, text: str) -> str | None:
    model, at, version = text.partition("@")
    if model in memory.releases.models() and (at or "/" not in text):
        return _bundle(memory, model, version or "champion")
    source, slash, span = text.partition("/")
    if source in memory.spans.sources():
        snapshot = memory.spans.first_with(source, span) if slash else memory.spans.snapshot(source)
        if snapshot is None:
            known = list(memory.spans.state(source))
            raise UsageError(f"source {source!r} has no span {span!r}: it has {_few(known)}")
        return snapshot
    return None


def _bundle(memory: Memory, model: str, version: str) -> str:
    plan = memory.releases.plan(model)
    if version == "champion":
        if plan is None:
            raise UsageError(f"model {model!r} has no champion yet")
        return plan.plan.champion
    for known in memory.releases.versions(model):
        if str(known.number) == version.removeprefix("v"):
            return known.bundle
    count = len(memory.releases.versions(model))
    raise UsageError(f"model {model!r} has no version {version!r}: it has 1 to {count}")


def _few(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{names[0]} ... {names[-1]} ({len(names)} spans)"
