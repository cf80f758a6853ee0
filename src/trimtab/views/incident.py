"""Incidents: when something went wrong, which Checks said so, and when it was over."""

from collections.abc import Iterator

import msgspec

from trimtab.atoms.action import Action, Closing, Outcome
from trimtab.views.book import Book

#: Incidents that are remembered; the oldest go first.
KEPT = 10_000
#: A person's own runs fail as they please: that is no incident.
_NOT_OURS = frozenset({"tracking", "access"})


class Incident(msgspec.Struct, kw_only=True):
    """Something that went wrong, from the first Action that tells of it to the one that ended it."""

    #: Counts up.
    number: int
    #: `alert`, `roll-back`, or `failure`: a stage could not do its work.
    kind: str
    #: Source or model.
    subject: str
    stage: str
    #: The Action that it began with.
    action: str
    #: UTC, ISO 8601.
    began: str
    #: The Checks that the Action answers.
    because: tuple[str, ...]
    #: In a sentence, as the Action or its end tells it.
    says: str
    #: How often the same was told while it lasted.
    times: int = 1
    #: UTC, ISO 8601; None while it lasts.
    ended: str | None = None
    #: The Action that ended it; None while it lasts.
    ended_by: str | None = None


class Incidents:
    """Alerts, roll-backs and failures in the order in which they began.

    An alert lasts until another champion takes over or the old one comes back; further alerts meanwhile are the same
    incident. A failure lasts until the same stage does the same work on the same subject. A roll-back is over when it
    is done: it is told because it happened.
    """

    def __init__(self) -> None:
        self._count = 0
        self._all: dict[int, Incident] = {}
        self._open: dict[tuple[str, str, str], Incident] = {}

    def on_closing(self, closing: Closing, book: Book) -> None:
        """Take the end of an Action."""
        action = book.open_action(closing.action)
        if action is None or action.stage in _NOT_OURS:
            return
        work = (action.stage, action.kind, action.subject)
        if closing.outcome is not Outcome.DONE:
            self._tell(work, "failure", action, closing)
            return
        self._end(work, closing)
        if action.kind == "alert":
            self._tell(("alert", "", action.subject), "alert", action, closing)
        elif action.stage == "release" and action.kind in ("promote", "roll-back"):
            self._end(("alert", "", action.subject), closing)
            if action.kind == "roll-back":
                self._tell(("roll-back", action.id, action.subject), "roll-back", action, closing)
                self._end(("roll-back", action.id, action.subject), closing)

    def before(self, number: int | None = None) -> Iterator[Incident]:
        """Incidents with a lower number, or all of them, newest first."""
        for each in reversed(self._all.values()):
            if number is None or each.number < number:
                yield each

    def _tell(self, place: tuple[str, str, str], kind: str, action: Action, closing: Closing) -> None:
        known = self._open.get(place)
        if known is not None:
            known.times += 1
            known.says = closing.note or action.note or known.says
            return
        self._count += 1
        incident = Incident(
            number=self._count,
            kind=kind,
            subject=action.subject,
            stage=action.stage,
            action=action.id,
            began=action.at,
            because=action.because,
            says=closing.note or action.note,
        )
        self._all[incident.number] = self._open[place] = incident
        if len(self._all) > KEPT:
            gone = self._all.pop(next(iter(self._all)))
            self._open = {where: each for where, each in self._open.items() if each is not gone}

    def _end(self, place: tuple[str, str, str], closing: Closing) -> None:
        incident = self._open.pop(place, None)
        if incident is not None:
            incident.ended, incident.ended_by = closing.at, closing.action
