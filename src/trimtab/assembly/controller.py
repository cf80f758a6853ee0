"""The controller: turns the loop of every model again and again, until it is told to stop."""

import os
import signal
import sys
import threading
from pathlib import Path

from trimtab.adapters.local_process import LocalProcess
from trimtab.assembly.child import STORE, end_with_parent, ending_in_words
from trimtab.assembly.data_steps import ingest_source, materialize_view, validate_source
from trimtab.assembly.project import Project, open_project
from trimtab.assembly.session import Session, open_session, progress
from trimtab.assembly.turn import Loop
from trimtab.atoms.error import LeaseLost, TrimtabError, WritingEnded
from trimtab.engine.engine import LEASE_SECONDS

LEASE = "controller"


def bring_data(session: Session) -> bool:
    """Ingest what is new in every source, judge it, and put the views online; True where anything was new."""
    new = False
    for source in session.project.sources.values():
        if ingest_source(session, source) is not None:
            new = True
    for source in session.project.sources.values():
        validate_source(session, source)
    if new:
        for view in {
            view.name: view for spec in session.project.models.values() for view in spec.views
        }.values():
            materialize_view(session, view)
    return new


class Controller:
    """Acts while it holds the controller's lease; another controller on the same store stands by."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask the controller to end after its present step."""
        self._stop.set()

    def run(self) -> None:
        """Turn the loop until `stop`."""
        with open_session(self._project, say=progress) as session:
            while not self._stop.is_set():
                lease = session.store.ledger.take_lease(LEASE, session.store.holder, LEASE_SECONDS)
                if lease is None:
                    self._stop.wait(self._project.settings.control.every)
                    continue
                try:
                    self._act(session)
                except LeaseLost:
                    progress("controller: another controller took over; standing by")
                finally:
                    session.store.ledger.give_lease(lease)

    def _act(self, session: Session) -> None:
        every = self._project.settings.control.every
        with session.operation("controller") as operation:
            acting = session.acting_for("controller", operation.id)
            loops = [Loop(acting, spec, LocalProcess()) for spec in self._project.models.values()]
            while not self._stop.wait(every):
                lease = session.store.ledger.take_lease(LEASE, session.store.holder, LEASE_SECONDS)
                if lease is None:
                    return
                self._turn(acting, loops)

    def _turn(self, session: Session, loops: list[Loop]) -> None:
        """One turn of everything; a failure is said and the next turn tries again, but for a disk that failed."""
        try:
            bring_data(session)
        except WritingEnded:
            raise
        except TrimtabError as error:
            session.say(f"data: {error}")
        for loop in loops:
            try:
                for line in loop.turn():
                    session.say(line)
            except WritingEnded:
                raise
            except TrimtabError as error:
                session.say(f"{loop.spec.name}: {error}")


def main() -> None:
    """Run as a child process: FOLDER, with the store in the environment."""
    end_with_parent()
    with ending_in_words():
        project = open_project(Path(sys.argv[1]), os.environ[STORE])
        controller = Controller(project)
        signal.signal(signal.SIGTERM, lambda number, frame: controller.stop())
        signal.signal(signal.SIGINT, lambda number, frame: controller.stop())
        controller.run()


if __name__ == "__main__":
    main()
