"""Blessing: whether a judged model may go on to be registered."""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.atoms.check import Check, Verdict
from trimtab.loop.evaluate.policy import Policy

#: What `quality.baseline` is about where the model is held against class shares or the mean.
CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Blessing:
    """What becomes of a model."""

    #: `bless` or `refuse`.
    kind: str
    #: Ids of the Checks that it answers.
    because: tuple[str, ...]
    note: str


def decide_blessing(checks: Sequence[Check], policy: Policy, *, first: bool) -> Blessing:
    """Decide by the Checks of one evaluation.

    Whatever failed or could not be judged refuses. Against a champion an undecided comparison refuses too,
    unless the policy says otherwise: who answers now is the safer choice. A first model has no such rival.

    Args:
        first: True where the model has no champion yet.
    """
    ids = tuple(check.id for check in checks)
    bad = [check for check in checks if check.verdict in (Verdict.FAIL, Verdict.BROKEN)]
    if bad:
        return Blessing("refuse", tuple(check.id for check in bad), _words(bad))
    unsure = [check for check in checks if check.verdict is Verdict.UNSURE]
    undecided = [check for check in unsure if check.name == "quality.champion"]
    if undecided and policy.unsure != "bless":
        return Blessing("refuse", tuple(check.id for check in undecided), _words(undecided))
    if not checks:
        return Blessing("refuse", (), "nothing was judged")
    without = [check for check in unsure if check.name == "quality.baseline"]
    if first and any(check.about == CONSTANT for check in without):
        return Blessing("bless", ids, f"blessed without evidence: {_words(without)}")
    if undecided:
        return Blessing("bless", ids, f"blessed without evidence, as the policy says: {_words(undecided)}")
    proof = [check for check in checks if check.name == ("quality.baseline" if first else "quality.champion")]
    return Blessing("bless", ids, _words(proof[:1]))


def _words(checks: Sequence[Check]) -> str:
    return "; ".join(
        f"{check.name}{f' ({check.about})' if check.about else ''}: {check.says}" for check in checks
    )
