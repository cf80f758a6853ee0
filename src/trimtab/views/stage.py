"""How each stage of the loop stands: its last Action, its last verdict, its counts."""

from dataclasses import dataclass, field

from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.atoms.check import Verdict
from trimtab.views.book import Book

#: From best to worst.
SEVERITY = (Verdict.PASS, Verdict.UNSURE, Verdict.BROKEN, Verdict.FAIL)


@dataclass(slots=True)
class StageState:
    """One stage, over the whole ledger."""

    verb: str
    #: The newest Action, open or closed, and how it ended.
    last: Action | None = None
    ended: Closing | None = None
    #: Worst verdict among the Checks of the newest Action that judged anything.
    verdict: Verdict | None = None
    done: int = 0
    failed: int = 0
    abandoned: int = 0
    #: Checks by verdict.
    checks: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))


class Stages:
    """The stages by verb, in the order in which they first acted."""

    def __init__(self) -> None:
        self._stages: dict[str, StageState] = {}

    def on_action(self, action: Action, book: Book) -> None:
        """Take an Action as it opens."""
        state = self._stages.get(action.stage)
        if state is None:
            state = self._stages[action.stage] = StageState(verb=action.stage)
        state.last, state.ended = action, None

    def on_closing(self, closing: Closing, book: Book) -> None:
        """Take the end of an Action with its judgements."""
        action = book.open_action(closing.action)
        if action is None:
            return
        state = self._stages[action.stage]
        if state.last is not None and state.last.id == action.id:
            state.ended = closing
        if closing.outcome is Outcome.DONE:
            state.done += 1
        elif closing.outcome is Outcome.FAILED:
            state.failed += 1
        else:
            state.abandoned += 1
        verdicts = [check.verdict for check in map(book.check, closing.judged) if check is not None]
        for verdict in verdicts:
            state.checks[verdict] += 1
        if verdicts:
            state.verdict = max(verdicts, key=SEVERITY.index)

    def of(self, verb: str) -> StageState:
        """How the stage stands; all zero where it never acted."""
        return self._stages.get(verb) or StageState(verb=verb)

    def all(self) -> list[StageState]:
        """Every stage that acted."""
        return list(self._stages.values())
