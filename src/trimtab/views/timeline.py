"""What happened lately: Actions with how they ended, and Checks, newest first."""

import heapq
import itertools
from collections import deque
from collections.abc import Collection, Iterator

import msgspec

from trimtab.atoms.action import Action, Closing
from trimtab.atoms.check import Check
from trimtab.views.book import Book

#: How far back it goes; older records are in the ledger.
ACTIONS_KEPT = 20_000
#: The stage of runs that people log.
RUNS_STAGE = "tracking"
CHECKS_KEPT = 5_000


class Event(msgspec.Struct, kw_only=True):
    """An Action or a Check in its place."""

    #: Counts up over the ledger.
    number: int
    #: UTC, ISO 8601: when the Action was opened or the Check judged.
    at: str
    record: Action | Check
    #: How the Action ended; None while it runs, and for a Check.
    closing: Closing | None = None

    @property
    def kind(self) -> str:
        """The Action's kind, or `check`."""
        return self.record.kind if isinstance(self.record, Action) else "check"


class Timeline:
    """The newest Actions and Checks. Those of people's runs stand apart: they come in thousands."""

    def __init__(self) -> None:
        self._count = 0
        self._actions: deque[Event] = deque(maxlen=ACTIONS_KEPT)
        self._runs: deque[Event] = deque(maxlen=ACTIONS_KEPT)
        #: Numbers and Checks: of the many that go by, few are ever shown as events.
        self._checks: deque[tuple[int, Check]] = deque(maxlen=CHECKS_KEPT)
        self._running: dict[str, Event] = {}

    def on_action(self, action: Action, book: Book) -> None:
        """Take an Action as it opens."""
        event = Event(number=self._next(), at=action.at, record=action)
        (self._runs if _is_of_a_run(action) else self._actions).append(event)
        self._running[action.id] = event

    def on_check(self, check: Check, book: Book) -> None:
        """Take a Check."""
        self._count += 1
        self._checks.append((self._count, check))

    def on_closing(self, closing: Closing, book: Book) -> None:
        """Take the end of an Action."""
        event = self._running.pop(closing.action, None)
        if event is not None:
            event.closing = closing

    def recent(self, limit: int, kinds: Collection[str] | None = None) -> list[Event]:
        """The newest events but for those of people's runs, newest first.

        Args:
            limit: At most so many.
            kinds: Kinds of Action to keep (`promote`, `alert` ...); `check` all Checks, `FAIL` failed ones.
        """
        found: list[Event] = []
        checks = (Event(number=number, at=check.at, record=check) for number, check in reversed(self._checks))
        for event in heapq.merge(reversed(self._actions), checks, key=lambda event: -event.number):
            if len(found) == limit:
                break
            if kinds is None or event.kind in kinds or _verdict(event) in kinds:
                found.append(event)
        return found

    def actions(self, limit: int) -> list[Event]:
        """The newest Actions but for those of people's runs, newest first."""
        return list(itertools.islice(reversed(self._actions), limit))

    def before(self, number: int | None = None, *, checks: bool) -> Iterator[Event]:
        """Checks or Actions with a lower number, or all that are kept, newest first."""
        if checks:
            for each, check in reversed(self._checks):
                if number is None or each < number:
                    yield Event(number=each, at=check.at, record=check)
        else:
            both = heapq.merge(reversed(self._actions), reversed(self._runs), key=lambda event: -event.number)
            for event in both:
                if number is None or event.number < number:
                    yield event

    def running(self) -> list[Action]:
        """Actions that were opened and not closed, but for people's runs, oldest first."""
        running = [event.record for event in self._running.values() if isinstance(event.record, Action)]
        return [action for action in running if not _is_of_a_run(action)]

    def _next(self) -> int:
        self._count += 1
        return self._count


def _is_of_a_run(action: Action) -> bool:
    return action.stage == RUNS_STAGE and (action.kind == "run" or action.kind.endswith("-run"))


def _verdict(event: Event) -> str:
    return event.record.verdict.value if isinstance(event.record, Check) else ""
