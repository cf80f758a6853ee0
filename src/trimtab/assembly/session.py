"""A session: an open project with its engine and its memory; what every assembled step works on."""

import getpass
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from trimtab.assembly.project import Project
from trimtab.atoms.action import Action, Closing, Outcome, action_id
from trimtab.atoms.digest import digest_value
from trimtab.atoms.instant import iso
from trimtab.engine.card import Card
from trimtab.engine.engine import Engine
from trimtab.engine.step import Done, Step
from trimtab.engine.store import Store
from trimtab.engine.work import Work
from trimtab.ports.clock import Clock
from trimtab.views.memory import Memory

Say = Callable[[str], None]


def quiet(line: str) -> None:
    """Say nothing."""


def progress(line: str) -> None:
    """Say a line to whoever started this process."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def person() -> str:
    """Who runs this process, as an Action's `by`."""
    try:
        return f"person:{getpass.getuser()}"
    except (KeyError, OSError):
        return "person:unknown"


@dataclass(slots=True)
class Session(AbstractContextManager["Session"]):
    """Runs steps of the project's stages under one name, and reads what they left."""

    project: Project
    store: Store
    engine: Engine
    memory: Memory
    say: Say = quiet
    by: str = field(default_factory=person)
    #: The Action that the steps of this session belong to; needed where `by` is no person.
    parent: str | None = None

    def run(
        self,
        card: Card,
        kind: str,
        subject: str,
        function: Callable[[Work], Any],
        *,
        took: Sequence[str] = (),
        parameters: dict[str, Any] | None = None,
        code: str = "",
        because: Sequence[str] = (),
        note: str = "",
        remembered: bool = True,
    ) -> Done:
        """Run one step as this session."""
        done = self.engine.run(
            Step(
                card=card,
                kind=kind,
                subject=subject,
                by=self.by,
                took=tuple(took),
                parameters=parameters or {},
                code=code,
                because=tuple(because),
                parent=self.parent,
                note=note,
                remembered=remembered,
            ),
            function,
        )
        self.memory.refresh()
        return done

    def acting_for(self, policy: str, parent: str | None) -> "Session":
        """The same session, deciding as a policy under a parent Action."""
        return replace(self, by=f"policy:{policy}", parent=parent)

    def as_person(self) -> "Session":
        """The same session, deciding as the person who runs this process."""
        return replace(self, by=person(), parent=None)

    @contextmanager
    def operation(self, note: str) -> Iterator[Action]:
        """Record a person's long-running command as an Action; the policies' steps under it are its children."""
        now = self.store.now()
        action = Action(
            id=action_id(now),
            kind="operate",
            stage="engine",
            subject=self.project.name,
            by=person(),
            key=digest_value("operation", {"holder": self.store.holder, "at": iso(now)}),
            note=note,
            at=iso(now),
        )
        with self.engine.claim(action.key):
            self.store.ledger.append([action])
            try:
                yield action
            finally:
                closing = Closing(action=action.id, outcome=Outcome.DONE, at=iso(self.store.now()))
                self.store.ledger.append([closing])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.store.close()


def open_session(
    project: Project,
    *,
    clock: Clock | None = None,
    say: Say = quiet,
    create: bool = True,
    tidy: bool = True,
) -> Session:
    """Open the project's store and, with `tidy`, clean up after processes that died."""
    store = project.open_store(clock=clock, create=create)
    engine = Engine(store, say)
    memory = Memory(store)
    if tidy:
        engine.tidy()
    memory.refresh()
    return Session(project=project, store=store, engine=engine, memory=memory, say=say)
