"""The windows of each model: what was served, and how it was judged."""

import msgspec

from trimtab.atoms.action import Closing
from trimtab.atoms.artifact import Artifact
from trimtab.atoms.check import Check
from trimtab.atoms.content.window import ServedBy
from trimtab.views.book import Book


class WindowState(msgspec.Struct, frozen=True, kw_only=True):
    """One sealed window and the Checks that judged it."""

    artifact_id: str
    model: str
    span: str
    #: From `first` up to, not including, `last`, UTC ISO 8601.
    first: str
    last: str
    rows: int
    outcomes: int
    #: Version that answered most rows as champion; None where none did.
    version: int | None
    served: tuple[ServedBy, ...]
    #: The Checks whose candidate it is, by the rule's name, in the order in which they were judged.
    checks: dict[str, list[Check]]
    #: Artifact id of the window's profile, None where it was not judged for drift.
    profile: str | None = None


class _Head(msgspec.Struct, frozen=True):
    model: str
    span: str
    first: str
    last: str
    rows: int
    outcomes: int
    served: tuple[ServedBy, ...]


class Windows:
    """Windows in the order in which they were sealed."""

    def __init__(self) -> None:
        self._models: dict[str, list[WindowState]] = {}
        self._by_id: dict[str, WindowState] = {}

    def on_artifact(self, artifact: Artifact, book: Book) -> None:
        """Take a window."""
        if artifact.kind != "window":
            return
        head = book.head(artifact.id, _Head)
        champions = [served for served in head.served if served.role == "champion"]
        state = WindowState(
            artifact_id=artifact.id,
            model=head.model,
            span=head.span,
            first=head.first,
            last=head.last,
            rows=head.rows,
            outcomes=head.outcomes,
            version=max(champions, key=lambda served: served.rows).version if champions else None,
            served=head.served,
            checks={},
        )
        self._models.setdefault(head.model, []).append(state)
        self._by_id[artifact.id] = state

    def on_check(self, check: Check, book: Book) -> None:
        """Take a judgement of a window."""
        state = self._by_id.get(check.subjects.candidate)
        if state is not None:
            name = check.name
            if name in state.checks:
                state.checks[name].append(check)
            else:
                state.checks[name] = [check]

    def on_closing(self, closing: Closing, book: Book) -> None:
        """Take the end of the Action that sealed and profiled a window."""
        windows, profiles = book.of_kind(closing.made, "window"), book.of_kind(closing.made, "profile")
        if len(windows) == 1 and len(profiles) == 1:
            known = self._by_id[windows[0]]
            state = msgspec.structs.replace(known, profile=profiles[0])
            states = self._models[known.model]
            # From the end: it is nearly always the last one.
            place = next(place for place in reversed(range(len(states))) if states[place] is known)
            states[place] = self._by_id[windows[0]] = state

    def of(self, model: str) -> list[WindowState]:
        """The windows of a model, oldest first."""
        return list(self._models.get(model, ()))

    def find(self, artifact: str) -> WindowState | None:
        """The window with this artifact id."""
        return self._by_id.get(artifact)
